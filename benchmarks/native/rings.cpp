// Queues of 64-byte records between threads: the C core beside what Debian packages. See native.hpp.
#include "native.hpp"
#if __has_include(<boost/lockfree/spsc_queue.hpp>)
#include <boost/lockfree/queue.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#define HAS_BOOST 1
#endif
#if __has_include(<tbb/concurrent_queue.h>)
#include <tbb/concurrent_queue.h>
#define HAS_TBB 1
#endif
#include "ck_rings.h"

#include <mutex>
#include <queue>

namespace {

struct Record {
    uint64_t words[8];
};
constexpr unsigned CAPACITY = 4096, BATCH = 64;

void need(bool good, const char *what) {
    if (!good) {
        std::fprintf(stderr, "%s\n", what);
        std::exit(1);
    }
}

struct Spsc {
    lf_spsc_ring ring;
    Spsc() { need(lf_spsc_ring_create(&ring, nullptr, CAPACITY, sizeof(Record), 0) == LF_OK, "spsc_ring"); }
    ~Spsc() { lf_detach(&ring.h); }
    bool put(const Record &r) { return lf_spsc_ring_try_put(&ring, &r, sizeof r) == LF_OK; }
    bool get(Record &r) { return lf_spsc_ring_try_get(&ring, &r) >= 0; }
    unsigned put_many(const Record *r, unsigned n) {
        int64_t done = lf_spsc_ring_put_many(&ring, r, sizeof *r, sizeof *r, nullptr, n);
        return done < 0 ? 0 : unsigned(done);
    }
    unsigned get_many(Record *r, unsigned n) {
        int64_t done = lf_spsc_ring_get_many(&ring, r, sizeof *r, nullptr, n);
        return done < 0 ? 0 : unsigned(done);
    }
};

struct Mpmc {
    lf_mpmc_ring ring;
    Mpmc() { need(lf_mpmc_ring_create(&ring, nullptr, CAPACITY, sizeof(Record), 0) == LF_OK, "mpmc_ring"); }
    ~Mpmc() { lf_detach(&ring.h); }
    bool put(const Record &r) { return lf_mpmc_ring_try_put(&ring, &r, sizeof r) == LF_OK; }
    bool get(Record &r) { return lf_mpmc_ring_try_get(&ring, &r) >= 0; }
    unsigned put_many(const Record *r, unsigned n) {
        int64_t done = lf_mpmc_ring_put_many(&ring, r, sizeof *r, sizeof *r, nullptr, n);
        return done < 0 ? 0 : unsigned(done);
    }
    unsigned get_many(Record *r, unsigned n) {
        int64_t done = lf_mpmc_ring_get_many(&ring, r, sizeof *r, nullptr, n);
        return done < 0 ? 0 : unsigned(done);
    }
};

struct Locked { // what is written by hand
    std::mutex mutex;
    std::queue<Record> queue;
    bool put(const Record &r) {
        std::lock_guard hold(mutex);
        if (queue.size() == CAPACITY)
            return false;
        queue.push(r);
        return true;
    }
    bool get(Record &r) {
        std::lock_guard hold(mutex);
        if (queue.empty())
            return false;
        r = queue.front();
        queue.pop();
        return true;
    }
};

#ifdef HAS_BOOST
struct BoostSpsc {
    boost::lockfree::spsc_queue<Record, boost::lockfree::capacity<CAPACITY>> queue;
    bool put(const Record &r) { return queue.push(r); }
    bool get(Record &r) { return queue.pop(r); }
    unsigned put_many(const Record *r, unsigned n) { return unsigned(queue.push(r, n)); }
    unsigned get_many(Record *r, unsigned n) { return unsigned(queue.pop(r, n)); }
};
struct BoostQueue {
    boost::lockfree::queue<Record, boost::lockfree::capacity<CAPACITY>> queue;
    bool put(const Record &r) { return queue.bounded_push(r); }
    bool get(Record &r) { return queue.pop(r); }
};
#endif

#ifdef HAS_TBB
struct TbbBounded {
    tbb::concurrent_bounded_queue<Record> queue;
    TbbBounded() { queue.set_capacity(CAPACITY); }
    bool put(const Record &r) { return queue.try_push(r); }
    bool get(Record &r) { return queue.try_pop(r); }
};
#endif

#ifdef HAS_CK
struct CkSpsc {
    void *ring = ck_rings_new(CAPACITY);
    ~CkSpsc() { ck_rings_free(ring); }
    bool put(const Record &r) { return ck_rings_put_spsc(ring, &r); }
    bool get(Record &r) { return ck_rings_get_spsc(ring, &r); }
};
struct CkMpmc {
    void *ring = ck_rings_new(CAPACITY);
    ~CkMpmc() { ck_rings_free(ring); }
    bool put(const Record &r) { return ck_rings_put_mpmc(ring, &r); }
    bool get(Record &r) { return ck_rings_get_mpmc(ring, &r); }
};
#endif

template <class Q> double one_thread(unsigned ms) {
    auto queue = std::make_unique<Q>();
    Record in{}, out{};
    return bench::alone(ms, [&] {
        queue->put(in);
        queue->get(out);
    });
}

template <class Q> double stream(unsigned pairs, unsigned ms) {
    auto queue = std::make_unique<Q>();
    return bench::together(2 * pairs, ms, [&](unsigned number, std::atomic<bool> &stop) {
        Record r{};
        uint64_t got = 0;
        bench::Wait wait;
        while (!stop.load(std::memory_order_relaxed)) {
            bool done = number % 2 == 0 ? queue->put(r) : queue->get(r);
            got += done && number % 2 == 1;
            done ? wait.found() : wait.nothing();
        }
        return got;
    });
}

template <class Q> double batches(unsigned ms) {
    auto queue = std::make_unique<Q>();
    return bench::together(2, ms, [&](unsigned number, std::atomic<bool> &stop) {
        Record records[BATCH] = {};
        uint64_t got = 0;
        bench::Wait wait;
        while (!stop.load(std::memory_order_relaxed)) {
            unsigned n = number == 0 ? queue->put_many(records, BATCH) : queue->get_many(records, BATCH);
            got += number == 1 ? n : 0;
            n > 0 ? wait.found() : wait.nothing();
        }
        return got;
    });
}

// Nanoseconds of a record there and back; both threads spin.
template <class Q> double round_trip(unsigned ms) {
    auto there = std::make_unique<Q>(), back = std::make_unique<Q>();
    double per_us = bench::together(2, ms, [&](unsigned number, std::atomic<bool> &stop) {
        Record r{};
        uint64_t trips = 0;
        Q &in = number == 0 ? *back : *there, &out = number == 0 ? *there : *back;
        for (;; trips += number == 0) {
            unsigned turns = 0;
            if (number == 0)
                out.put(r);
            while (!in.get(r))
                if (stop.load(std::memory_order_relaxed))
                    return trips;
                else if (++turns % 4096 == 0)
                    sched_yield();
            if (number == 1)
                out.put(r);
        }
    });
    return 1e3 / per_us;
}

template <class Q> void add(std::vector<bench::Case> &cases, const std::string &peer, bool many_to_many) {
    cases.push_back({"alone", peer, one_thread<Q>});
    cases.push_back({"1p1c", peer, [](unsigned ms) { return stream<Q>(1, ms); }});
    cases.push_back({"round_trip", peer, round_trip<Q>});
    if (many_to_many) {
        cases.push_back({"2p2c", peer, [](unsigned ms) { return stream<Q>(2, ms); }});
        cases.push_back({"4p4c", peer, [](unsigned ms) { return stream<Q>(4, ms); }});
    }
}

} // namespace

int main(int argc, char **argv) {
    std::vector<bench::Case> cases;
    add<Spsc>(cases, "SPSCRing", false);
    add<Mpmc>(cases, "MPMCRing", true);
    cases.push_back({"batches", "SPSCRing", batches<Spsc>});
    cases.push_back({"batches", "MPMCRing", batches<Mpmc>});
    add<Locked>(cases, "std::mutex+std::queue", true);
#ifdef HAS_BOOST
    add<BoostSpsc>(cases, "boost::spsc_queue", false);
    add<BoostQueue>(cases, "boost::queue", true);
    cases.push_back({"batches", "boost::spsc_queue", batches<BoostSpsc>});
#endif
#ifdef HAS_TBB
    add<TbbBounded>(cases, "tbb::bounded_queue", true);
#endif
#ifdef HAS_CK
    add<CkSpsc>(cases, "ck_ring_spsc", false);
    add<CkMpmc>(cases, "ck_ring_mpmc", true);
#endif
    return bench::command(cases, argc, argv);
}
