// Locks and semaphores between threads: the C core beside glibc, oneTBB and Concurrency Kit. See native.hpp.
#include "native.hpp"
#if __has_include(<tbb/spin_mutex.h>)
#include <tbb/spin_mutex.h>
#define HAS_TBB 1
#endif

#include <pthread.h>
#include <semaphore.h>

namespace {

struct Mutex {
    lf_mutex m;
    Mutex() { lf_mutex_create(&m, nullptr); }
    ~Mutex() { lf_detach(&m.h); }
    void lock() { lf_mutex_acquire(&m, LF_FOREVER); }
    void unlock() { lf_mutex_release(&m); }
};
struct SpinLock {
    lf_spinlock s;
    SpinLock() { lf_spinlock_create(&s, nullptr); }
    ~SpinLock() { lf_detach(&s.h); }
    void lock() { lf_spinlock_acquire(&s, LF_FOREVER); }
    void unlock() { lf_spinlock_release(&s); }
};
template <unsigned permits> struct Semaphore {
    lf_semaphore s;
    Semaphore() { lf_semaphore_create(&s, nullptr, permits, permits, 0); }
    ~Semaphore() { lf_detach(&s.h); }
    void lock() {
        while (lf_semaphore_acquire(&s, 1, LF_FOREVER) == LF_INTERRUPTED)
            ;
    }
    void unlock() { lf_semaphore_release(&s, 1); }
};

template <bool robust> struct PthreadMutex {
    pthread_mutex_t m;
    PthreadMutex() {
        pthread_mutexattr_t attributes;
        pthread_mutexattr_init(&attributes);
        if (robust) {
            pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
            pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
        }
        pthread_mutex_init(&m, &attributes);
    }
    void lock() { pthread_mutex_lock(&m); }
    void unlock() { pthread_mutex_unlock(&m); }
};
struct PthreadSpin {
    pthread_spinlock_t s;
    PthreadSpin() { pthread_spin_init(&s, PTHREAD_PROCESS_SHARED); }
    void lock() { pthread_spin_lock(&s); }
    void unlock() { pthread_spin_unlock(&s); }
};
template <unsigned permits> struct PosixSemaphore {
    sem_t s;
    PosixSemaphore() { sem_init(&s, 1, permits); }
    void lock() {
        while (sem_wait(&s) != 0)
            ;
    }
    void unlock() { sem_post(&s); }
};

template <class L> double one_thread(unsigned ms) {
    auto lock = std::make_unique<L>();
    return bench::alone(ms, [&] {
        lock->lock();
        lock->unlock();
    });
}

template <class L> double contended(unsigned count, unsigned ms) {
    auto lock = std::make_unique<L>();
    uint64_t shared = 0; // the critical section: one line that the lock protects
    return bench::together(count, ms, [&](unsigned, std::atomic<bool> &stop) {
        uint64_t done = 0;
        while (!stop.load(std::memory_order_relaxed)) {
            lock->lock();
            __atomic_store_n(&shared, __atomic_load_n(&shared, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
            lock->unlock();
            done++;
        }
        return done;
    });
}

template <class L> void add(std::vector<bench::Case> &cases, const std::string &kind, const std::string &peer) {
    cases.push_back({kind + "_alone", peer, one_thread<L>});
    for (unsigned count : {2u, 4u})
        cases.push_back(
            {kind + "_" + std::to_string(count), peer, [count](unsigned ms) { return contended<L>(count, ms); }});
}

} // namespace

int main(int argc, char **argv) {
    std::vector<bench::Case> cases;
    add<Mutex>(cases, "lock", "Mutex");
    add<SpinLock>(cases, "lock", "SpinLock");
    add<PthreadMutex<false>>(cases, "lock", "pthread_mutex");
    add<PthreadMutex<true>>(cases, "lock", "pthread_mutex,robust");
    add<PthreadSpin>(cases, "lock", "pthread_spin");
    add<Semaphore<2>>(cases, "semaphore", "Semaphore");
    add<PosixSemaphore<2>>(cases, "semaphore", "sem_t");
#ifdef HAS_TBB
    add<tbb::spin_mutex>(cases, "lock", "tbb::spin_mutex");
#endif
    return bench::command(cases, argc, argv);
}
