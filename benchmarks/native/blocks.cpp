// One block taken and freed again: the C core beside two allocators that are written by hand. See native.hpp. The two know no
// holder, so they recover nothing from the dead, and refuse no wrong free.
#include "native.hpp"

namespace {

constexpr uint32_t blocks = 4096;

template <uint32_t mode> struct Pool {
    lf_block_pool p;
    Pool() { lf_block_pool_create_as(&p, nullptr, blocks, 0, mode); }
    ~Pool() { lf_detach(&p.h); }
    struct User { // a participant for each thread, as for each process
        lf_block_pool p;
        User(Pool &pool, unsigned) { lf_block_pool_attach_fd(&p, dup(pool.p.h.fd)); }
        ~User() { lf_detach(&p.h); }
        void pair() {
            uint32_t block;
            uint64_t at;
            if (lf_block_pool_try_alloc(&p, &block, 1) == LF_OK)
                lf_block_pool_free(&p, &block, nullptr, 1, &at);
        }
    };
};

// A word for each block: 0, or 1 + the number of its holder. Each thread looks first where it found one last.
struct Words {
    alignas(128) std::atomic<uint32_t> words[blocks] = {};
    struct User {
        Words &pool;
        uint32_t me, next;
        User(Words &of, unsigned number) : pool(of), me(number + 1), next(number * (blocks / 8)) {}
        void pair() {
            for (uint32_t tried = 0; tried < blocks; tried++, next = (next + 1) % blocks) {
                uint32_t nobody = 0;
                if (pool.words[next].load(std::memory_order_relaxed) == 0 &&
                    pool.words[next].compare_exchange_strong(nobody, me, std::memory_order_acquire))
                    return pool.words[next].store(0, std::memory_order_release);
            }
        }
    };
};

// Treiber's stack of block numbers; a tag in its top changes with every pop.
struct Stack {
    alignas(128) std::atomic<uint64_t> top{0}; // {tag : 32 | block + 1 : 32}
    alignas(128) std::atomic<uint32_t> below[blocks];
    Stack() {
        for (uint32_t block = 0; block < blocks; block++)
            push(block);
    }
    void push(uint32_t block) {
        uint64_t seen = top.load(std::memory_order_relaxed);
        do
            below[block].store(uint32_t(seen), std::memory_order_relaxed);
        while (!top.compare_exchange_weak(seen, (seen >> 32) << 32 | (block + 1), std::memory_order_release,
                                          std::memory_order_relaxed));
    }
    uint32_t pop() { // block + 1, or 0
        uint64_t seen = top.load(std::memory_order_acquire);
        while (uint32_t(seen) != 0 &&
               !top.compare_exchange_weak(
                   seen, ((seen >> 32) + 1) << 32 | below[uint32_t(seen) - 1].load(std::memory_order_relaxed),
                   std::memory_order_acquire))
            ;
        return uint32_t(seen);
    }
    struct User {
        Stack &pool;
        User(Stack &of, unsigned) : pool(of) {}
        void pair() {
            if (uint32_t found = pool.pop())
                pool.push(found - 1);
        }
    };
};

template <class P> double one_thread(unsigned ms) {
    auto pool = std::make_unique<P>();
    typename P::User user(*pool, 0);
    return bench::alone(ms, [&] { user.pair(); });
}

template <class P> double several(unsigned count, unsigned ms) {
    auto pool = std::make_unique<P>();
    return bench::together(count, ms, [&](unsigned number, std::atomic<bool> &stop) {
        typename P::User user(*pool, number);
        uint64_t done = 0;
        for (; !stop.load(std::memory_order_relaxed); done += 16)
            for (int i = 0; i < 16; i++)
                user.pair();
        return done;
    });
}

template <class P> void add(std::vector<bench::Case> &cases, const std::string &peer) {
    cases.push_back({"blocks_alone", peer, one_thread<P>});
    cases.push_back({"blocks_2", peer, [](unsigned ms) { return several<P>(2, ms); }});
}

} // namespace

int main(int argc, char **argv) {
    std::vector<bench::Case> cases;
    add<Pool<LF_POOL_LIFO>>(cases, "BlockPool");
    add<Pool<0>>(cases, "BlockPool,fifo");
    add<Words>(cases, "a_word_for_each_block");
    add<Stack>(cases, "a_tagged_stack");
    return bench::command(cases, argc, argv);
}
