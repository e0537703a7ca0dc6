// What the native programs share: pinned threads, a clock, and the loop that measures for a given time.
//
//     PROGRAM list                        one line per case: WORKLOAD PEER
//     PROGRAM run WORKLOAD PEER MS        one number: nanoseconds per operation, or million operations per second
#pragma once
#include <lockfree/lockfree.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bench {

inline std::vector<int> usable() {
    cpu_set_t set;
    std::vector<int> found;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, &set))
                found.push_back(cpu);
    return found;
}

inline void pin(unsigned number) {
    static const std::vector<int> cpus = usable();
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpus[number % cpus.size()], &set);
    sched_setaffinity(0, sizeof set, &set); // where this is refused, the system places the threads
}

struct Wait { // of one who found nothing: longer each time, and then the processor goes to somebody else
    unsigned turns = 0;
    void found() { turns = 0; }
    void nothing() {
        for (unsigned i = 0; i < (turns < 6 ? 1u << turns : 64u); i++)
            lf_pause();
        if (++turns > 64)
            sched_yield();
    }
};

// A thread that sleeps. In a process of one thread, glibc's locks and the C++ library leave out what others need: their
// mutex takes no locked instruction there. Beside this thread every entry does what it does in a program with threads.
class Companion {
    std::mutex m;
    std::condition_variable wake;
    bool ends = false;
    std::thread thread{[this] {
        std::unique_lock<std::mutex> lock(m);
        wake.wait(lock, [this] { return ends; });
    }};

  public:
    ~Companion() {
        {
            std::lock_guard<std::mutex> lock(m);
            ends = true;
        }
        wake.notify_one();
        thread.join();
    }
};

// Nanoseconds per call of `turn`, repeated for `ms` in this thread: of the time that it had a processor.
template <class Turn> double alone(unsigned ms, Turn turn) {
    Companion companion;
    pin(0);
    auto clock = [] { return lf__clock(CLOCK_THREAD_CPUTIME_ID); };
    uint64_t limit = uint64_t{ms} * 1000000, began = clock(), now = began, done = 0;
    for (; now - began < limit; now = clock(), done += 256)
        for (int i = 0; i < 256; i++)
            turn();
    return double(now - began) / double(done);
}

// `work(number, stop)` in `count` threads for `ms`: it returns how many operations count. Million per second.
template <class Work> double together(unsigned count, unsigned ms, Work work) {
    std::atomic<bool> stop{false};
    std::atomic<unsigned> there{0};
    std::atomic<uint64_t> done{0};
    std::vector<std::thread> threads;
    for (unsigned number = 0; number < count; number++)
        threads.emplace_back([&, number] {
            pin(number);
            there++;
            while (there.load() < count)
                sched_yield();
            done += work(number, stop);
        });
    while (there.load() < count)
        sched_yield();
    uint64_t began = lf_now();
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    stop = true;
    double us = double(lf_now() - began) / 1e3;
    for (auto &thread : threads)
        thread.join();
    return double(done.load()) / us;
}

struct Case {
    std::string workload, peer;
    std::function<double(unsigned)> run;
};

inline int command(const std::vector<Case> &cases, int argc, char **argv) {
    if (argc == 2 && std::strcmp(argv[1], "list") == 0) {
        for (const auto &c : cases)
            std::printf("%s %s\n", c.workload.c_str(), c.peer.c_str());
        return 0;
    }
    if (argc == 5 && std::strcmp(argv[1], "run") == 0)
        for (const auto &c : cases)
            if (c.workload == argv[2] && c.peer == argv[3]) {
                std::printf("%.6g\n", c.run(unsigned(std::atoi(argv[4]))));
                return 0;
            }
    std::fprintf(stderr, "usage: %s list | run WORKLOAD PEER MS\n", argv[0]);
    return 2;
}

} // namespace bench
