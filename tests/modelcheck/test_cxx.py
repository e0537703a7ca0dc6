"""C++ programs: threads, locks and atomics of the standard library, new and delete, and names as the source has them."""

import shutil
import subprocess

import compilers
import pytest

from lockfree.modelcheck import Settings, Verdict, build, check
from lockfree.modelcheck.build import cxx_compiler
from lockfree.modelcheck.runner import run

pytestmark = pytest.mark.skipif(
    not compilers.STRICT and shutil.which(cxx_compiler()[0]) is None, reason=f"no C++ compiler {cxx_compiler()[0]}"
)

PROGRAM = r"""
#include <atomic>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include "lockfree_model.h"

namespace shop {
static std::mutex guard;
static std::shared_mutex readers;
static int plain;
static std::atomic<int> count{0};
static std::atomic<int *> shared{nullptr};
static std::once_flag once;
static thread_local int mine = 3;

struct queue {
    std::mutex m;
    std::condition_variable filled;
    std::vector<int> items;
    void put(int value) {
        {
            std::lock_guard<std::mutex> held(m);
            items.push_back(value);
        }
        filled.notify_one();
    }
    int get(bool waits_well) {
        std::unique_lock<std::mutex> held(m);
        if (waits_well)
            filled.wait(held, [this] { return !items.empty(); });
        else if (items.empty())
            filled.wait(held);
        int value = items.at(items.size() - 1);
        items.pop_back();
        return value;
    }
};
struct counter {
    counter() { plain++; }
};
static counter &only() {
    static counter it;
    return it;
}
struct shape {
    virtual int sides() const { return 0; }
    virtual ~shape() = default;
};
struct square : shape {
    int sides() const override { return 4; }
};
struct at_end {
    ~at_end() { count++; }
};
}  // namespace shop
using namespace shop;

template <class F, class G> static void both(F f, G g) {
    std::thread one(f), two(g);
    one.join();
    two.join();
}
static void with_lock() {
    auto add = [] { std::lock_guard<std::mutex> held(guard); plain++; };
    both(add, add);
    assert(plain == 2);
}
static void without_lock() {
    auto add = [] { plain++; };
    both(add, add);
}
static void wait_well() {
    queue q;
    both([&] { q.put(4); q.put(5); }, [&] { assert(q.get(true) + q.get(true) == 9); });
}
static void wait_badly() {
    queue q;
    both([&] { q.put(4); q.put(5); }, [&] { q.get(false); q.get(false); });
    assert(q.items.empty());
}
static void never_woken() {
    queue q;
    both([] { count++; }, [&] { q.get(true); });
}
static void used_after_delete() {
    both([] { shared.store(new int(3)); },
         [] { if (int *p = shared.load()) { assert(*p == 3); delete p; (void)*(volatile int *)p; } });
}
static void deleted_twice() {
    both([] { shared.store(new int(3)); delete shared.load(); }, [] { if (int *p = shared.exchange(nullptr)) delete p; });
}
static void published() {
    both([] { shared.store(new int(3), std::memory_order_release); },
         [] { if (int *p = shared.load(std::memory_order_acquire)) assert(*p == 3); });
    delete shared.load();
}
static void published_too_weakly() {
    both([] { shared.store(new int(3), std::memory_order_relaxed); },
         [] { if (int *p = shared.load(std::memory_order_acquire)) assert(*p == 3); });
}
static void shared_pointer() {
    auto text = std::make_shared<std::string>("one that is too long to be kept inside");
    std::weak_ptr<std::string> weak = text;
    both([text] { assert(text->size() > 20); }, [weak] { if (auto p = weak.lock()) assert(p->size() > 20); });
}
static void local_static() {
    both([] { only(); }, [] { only(); });
    assert(plain == 1);
}
static void called_once() {
    auto once_only = [] { std::call_once(once, [] { plain++; }); assert(plain == 1); };
    both(once_only, once_only);
}
static void exceptions() {
    auto fails = [] { try { throw std::runtime_error("x"); } catch (const std::exception &e) { count++; } };
    both(fails, fails);
    assert(count == 2);
}
static void thread_locals() {
    auto change = [] { assert(mine == 3); mine++; count++; assert(mine == 4); };
    both(change, change);
}
static void thread_local_destructors() {
    auto use = [] { static thread_local at_end last; (void)&last; };
    both(use, use);
    assert(count == 2);
}
static void reader_writer() {
    both([] { std::shared_lock<std::shared_mutex> held(readers); assert(plain != 1); },
         [] { std::unique_lock<std::shared_mutex> held(readers); plain++; plain++; });
}
static void two_readers() {
    auto change = [] { std::shared_lock<std::shared_mutex> held(readers); plain++; };
    both(change, change);
}
static void futures() {
    std::promise<int> promise;
    auto future = promise.get_future();
    std::thread t([&] { promise.set_value(7); });
    assert(future.get() == 7);
    t.join();
}
static void virtual_functions() {
    std::unique_ptr<shape> it = std::make_unique<square>();
    both([&] { assert(it->sides() == 4); }, [&] { assert(it->sides() == 4); });
}
static void random_device() {
    std::random_device device;
    count = static_cast<int>(device() % 2);
    both([] { count++; }, [] { count--; });
}
static void semaphores() {
    std::binary_semaphore free{1};
    auto add = [&] { free.acquire(); plain++; free.release(); };
    both(add, add);
}
static void waits_on_an_atomic() {
    both([] { plain = 1; count = 1; count.notify_one(); }, [] { count.wait(0); assert(plain == 1); });
}
static std::atomic<long> total{0};
static std::atomic<char> letter{0};
static void waits_on_a_long_atomic() {
    both([] { plain = 1; total = 1; total.notify_all(); }, [] { total.wait(0); assert(plain == 1); });
}
static void waits_on_a_small_atomic() {
    both([] { plain = 1; letter = 1; letter.notify_one(); }, [] { letter.wait(0); assert(plain == 1); });
}
static void waits_for_what_is_too_weak() {
    both([] { plain = 1; count.store(1, std::memory_order_relaxed); count.notify_one(); },
         [] { count.wait(0); assert(plain == 1); });
}
static void nobody_notifies_the_long_one() {
    both([] { total = 1; }, [] { total.wait(0); });
}

static std::condition_variable told;
static void waits_for_a_while() {
    both([] { { std::lock_guard<std::mutex> held(guard); plain = 1; } told.notify_one(); },
         [] {
             std::unique_lock<std::mutex> held(guard);
             if (told.wait_for(held, std::chrono::milliseconds(5), [] { return plain == 1; })) assert(plain == 1);
         });
}
static void array_deleted_as_one() {
    int *volatile numbers = new int[3];
    delete numbers;
}
static void freed_what_new_made() {
    int *volatile number = new int;
    std::free(number);
}

typedef void (*program)();
#ifndef PROGRAM
#define PROGRAM with_lock
#endif
int main() { PROGRAM(); }
"""
KINDS = {
    "with_lock": "",
    "without_lock": "data race",
    "wait_well": "",
    "wait_badly": "crash",
    "never_woken": "deadlock",
    "used_after_delete": "use after free",
    "deleted_twice": "double free",
    "published": "",
    "published_too_weakly": "data race",
    "shared_pointer": "",
    "local_static": "",
    "called_once": "",
    "exceptions": "",
    "thread_locals": "",
    "thread_local_destructors": "",
    "reader_writer": "",
    "two_readers": "data race",
    "futures": "",
    "virtual_functions": "",
    "random_device": "",
    "waits_on_an_atomic": "",
    "waits_on_a_long_atomic": "",  # with a count of notifications: only four bytes can be a futex
    "waits_on_a_small_atomic": "",
    "waits_for_what_is_too_weak": "data race",
    "nobody_notifies_the_long_one": "deadlock",
    "waits_for_a_while": "",
    "array_deleted_as_one": "bad free",
    "freed_what_new_made": "bad free",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("cxx") / "programs.cpp"
    path.write_text(PROGRAM)
    return path


def checked(name, source, tmp_path, **options):
    program = build(source, tmp_path / "program", define=[f"PROGRAM={name}"])
    return run(program, "main", Settings(mode="exhaustive", seconds=30, **options))


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """All programs as clients of one file: the library's headers take seconds to compile, a program none."""
    clients = [f"LF_MODEL_CLIENT({name}_alone, .threads = {{[] {{ {name}(); }}}});" for name in KINDS]
    path = tmp_path_factory.mktemp("cxx") / "programs.cpp"
    text = PROGRAM.replace("int main() { PROGRAM(); }", "\n".join(clients))
    path.write_text(f'#include "lockfree_model.h"\n{text}')
    return build(path, path.with_name("program"))


@pytest.mark.parametrize("name", KINDS)
def test_programs(name, together):
    report = run(together, f"{name}_alone", Settings(mode="exhaustive", seconds=30))
    assert report.kind == KINDS[name], report.message
    assert report.verdict is (Verdict.VIOLATION if KINDS[name] else Verdict.OK), report.message
    assert report.complete


@pytest.mark.soak
@pytest.mark.parametrize("name", KINDS)
def test_programs_with_a_main(name, source, tmp_path):
    report = checked(name, source, tmp_path)
    assert report.kind == KINDS[name], report.message
    assert report.complete


def test_a_fault_of_the_library_itself(source, tmp_path):
    """The semaphores of libstdc++ before 16 can sleep on a value that has come back."""
    report = checked("semaphores", source, tmp_path)
    asked = [*cxx_compiler(), "-std=c++20", "-E", "-P", "-x", "c++", "-include", "version", "-"]
    said = subprocess.run(asked, input="_GLIBCXX_RELEASE", capture_output=True, text=True, check=True).stdout
    assert report.kind == ("deadlock" if int(said.split()[-1]) < 16 else ""), report.message


def test_names_are_those_of_the_source(source, tmp_path):
    report = checked("published_too_weakly", source, tmp_path)
    report.trace.locate()
    text = report.trace.render() + report.message
    assert "shop::shared := " in text
    assert "programs.cpp:" in text
    assert "_ZN" not in text
    assert "atomic_base.h" not in text, "inlined library code is shown as the line that uses it"


@pytest.mark.parametrize("standard", ["c++11", "c++17", "c++20"])
def test_what_happens_within_strings(standard, tmp_path):
    (tmp_path / "text.cpp").write_text(
        '#include <string>\n#include <thread>\nstatic std::string text = "longer than the room in the object";\n'
        'int main() { std::thread t([] { text += " and longer"; }); SOON; std::string seen = text; LATE;\n'
        "return seen.empty(); }\n"
    )
    [right] = check(tmp_path / "text.cpp", define=["SOON=t.join()", "LATE"], flags=[f"-std={standard}"])
    [wrong] = check(tmp_path / "text.cpp", define=["SOON", "LATE=t.join()"], flags=[f"-std={standard}"])
    assert (right.kind, wrong.kind) == ("", "data race")


def test_files_of_both_languages(tmp_path):
    (tmp_path / "one.c").write_text("int shared;\nvoid add(void) { shared++; }\n")
    (tmp_path / "two.cpp").write_text(
        '#include <thread>\nextern "C" void add();\nint main() { std::thread t(add); LATE; t.join(); SOON; }\n'
    )
    files = [tmp_path / "one.c", tmp_path / "two.cpp"]
    [right] = check(files, define=["LATE", "SOON=add()"])
    [wrong] = check(files, define=["LATE=add()", "SOON"])
    assert (right.kind, wrong.kind) == ("", "data race")


NOT_INLINED = """
#include <atomic>
#include <pthread.h>
static std::atomic<int *> box;
static int plain;
static void *puts(void *) {
    plain = 1;
    box.store(&plain, std::memory_order_relaxed);
    return nullptr;
}
int main() {
    pthread_t thread;
    pthread_create(&thread, nullptr, puts, nullptr);
    int found = box.load(std::memory_order_relaxed) ? plain : 1;
    pthread_join(thread, nullptr);
    return found != 1;
}
"""


def test_what_the_library_does_is_shown_as_the_line_that_called_it(tmp_path):
    path = tmp_path / "box.cpp"
    path.write_text(NOT_INLINED)
    [report] = check(path, flags=["-fno-inline"])
    report.trace.locate()
    lines = NOT_INLINED.split("\n")
    for call in ("box.store", "box.load"):
        [number] = [at for at, line in enumerate(lines, 1) if call in line]
        assert f"box.cpp:{number} " in report.trace.render(), call


CONTAINERS = """
#include "lockfree_model.h"
#include <list>
#include <map>
#include <mutex>
static std::map<int, int> *numbers;
static std::list<int> *waiting;
static std::mutex guard;
static void setup() {
    numbers = new std::map<int, int>{{1, 10}};
    waiting = new std::list<int>{1, 2};
}
static void inserts() { numbers->emplace(2, 20); }
static void looks() { (void)numbers->find(1); }
static void walks() { for (auto &number : *numbers) lf_model_assert(number.second == 10 * number.first); }
static void appends() { waiting->push_back(3); }
static void walks_the_list() { for (int number : *waiting) lf_model_assert(number <= 3); }
static void removes() {
    std::lock_guard<std::mutex> hold(guard);
    numbers->erase(1);
    waiting->pop_front();
}
static void adds() {
    std::lock_guard<std::mutex> hold(guard);
    numbers->emplace(3, 30);
    waiting->push_front(0);
    walks();
    walks_the_list();
}
LF_MODEL_CLIENT(insert_and_find, .setup = setup, .threads = {inserts, looks});
LF_MODEL_CLIENT(insert_and_walk, .setup = setup, .threads = {inserts, walks});
LF_MODEL_CLIENT(append_and_walk, .setup = setup, .threads = {appends, walks_the_list});
LF_MODEL_CLIENT(only_looks, .setup = setup, .threads = {looks, walks, walks_the_list});
LF_MODEL_CLIENT(guarded, .setup = setup, .threads = {adds, removes});
"""


def test_what_the_library_does_with_the_nodes_of_containers_is_seen(tmp_path):
    (tmp_path / "containers.cpp").write_text(CONTAINERS)
    kinds = {report.client: report.kind or report.verdict.name for report in check(tmp_path / "containers.cpp")}
    races = dict.fromkeys(("insert_and_find", "insert_and_walk", "append_and_walk"), "data race")
    assert kinds == races | {"only_looks": "OK", "guarded": "OK"}


NODES = """
#include "lockfree_model.h"
#include <list>
#include <set>
static void adds_and_removes() {
    std::set<int> tree;
    unsigned seed = 1, sum = 0, size = 0;
    bool inside[32] = {};
    for (int i = 0; i < 400; i++) {
        seed = seed * 1103515245 + 12345;
        int number = seed >> 16 & 31;
        inside[number] = !inside[number];
        if (inside[number]) tree.insert(number), sum += number, size++;
        else tree.erase(number), sum -= number, size--;
        unsigned forth = 0, back = 0, last = 0;
        for (int each : tree) lf_model_assert(forth == 0 || each > (int)last), forth += each, last = each;
        for (auto each = tree.rbegin(); each != tree.rend(); ++each) back += *each;
        lf_model_assert(tree.size() == size && forth == sum && back == sum);
    }
    std::list<int> one{3, 1, 2}, two{5};
    one.sort();
    one.reverse();
    one.swap(two);
    two.splice(two.begin(), one);
    lf_model_assert((two == std::list<int>{5, 3, 2, 1}) && one.empty());
}
LF_MODEL_CLIENT(nodes, .threads = {adds_and_removes});
"""


def test_trees_and_lists_do_what_they_should(tmp_path):
    (tmp_path / "nodes.cpp").write_text(NODES)
    [report] = check(tmp_path / "nodes.cpp")
    assert report.verdict is Verdict.OK, report.message
