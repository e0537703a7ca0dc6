/* The limits of control groups: the least of a group and those above it, both versions, and no limit where nothing is
 * said. The trees are made here. */
#include <lockfree/blocks/memory_limit.h>

#include "check.h"

#include <sys/stat.h>

static char root[64] = "/tmp/test-memory-limit-XXXXXX";

static void write_file(const char *folder, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s%s/%s", root, folder, name);
    FILE *file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}
static void make_folder(const char *folder) {
    char path[256];
    snprintf(path, sizeof path, "%s%s", root, folder);
    CHECK(mkdir(path, 0700) == 0);
}
static void group(const char *folder, const char *limit, const char *used, const char *statistics) {
    write_file(folder, "memory.max", limit);
    write_file(folder, "memory.current", used);
    write_file(folder, "memory.stat", statistics);
}

static void test_version_2(void) {
    make_folder("/a");
    make_folder("/a/b");
    CHECK_EQ(lf__groups_leave(root, "/a/b", 1), UINT64_MAX); /* the root has no limit, and no file that says so */
    group("/a", "max\n", "5000\n", "anon 5000\n");
    group("/a/b", "max\n", "5000\n", "anon 5000\n");
    CHECK_EQ(lf__groups_leave(root, "/a/b", 1), UINT64_MAX);
    group("/a/b", "10000\n", "4000\n", "anon 3000\ninactive_file 1000\n");
    CHECK_EQ(lf__groups_leave(root, "/a/b", 1), 7000); /* what the kernel can drop at once is free */
    group("/a", "6000\n", "5000\n", "anon 5000\ninactive_file 0\n");
    CHECK_EQ(lf__groups_leave(root, "/a/b", 1), 1000); /* the one above has less */
    CHECK_EQ(lf__groups_leave(root, "/a", 1), 1000);
    group("/a", "6000\n", "7000\n", "inactive_file 0\n");
    CHECK_EQ(lf__groups_leave(root, "/a/b", 1), 0); /* lowered below what is in use */
    group("/a", "6000\n", "500\n", "inactive_file 9000\n");
    CHECK_EQ(lf__groups_leave(root, "/a/b", 1), 6000); /* two looks at different instants */
    CHECK_EQ(lf__groups_leave(root, "/", 1), UINT64_MAX);
    CHECK_EQ(lf__groups_leave(root, "/not/there", 1), UINT64_MAX);
}

static void test_version_1(void) {
    make_folder("/c");
    write_file("/c", "memory.limit_in_bytes", "9223372036854771712\n"); /* none */
    write_file("/c", "memory.usage_in_bytes", "4000\n");
    CHECK_EQ(lf__groups_leave(root, "/c", 0), UINT64_MAX);
    write_file("/c", "memory.limit_in_bytes", "10000\n");
    write_file("/c", "memory.stat", "inactive_file 3\ntotal_inactive_file 500\n");
    CHECK_EQ(lf__groups_leave(root, "/c", 0), 6500);
}

static void test_numbers(void) {
    CHECK_EQ(lf__number_after("a 1\nab 2\nb 3\n", "b "), 3);
    CHECK_EQ(lf__number_after("MemAvailable:   77 kB\n", "MemAvailable:"), 77);
    CHECK_EQ(lf__number_after("x 1", "y "), UINT64_MAX);
    CHECK_EQ(lf__number_after("", ""), UINT64_MAX);
    CHECK(lf_memory_available() > 0);
}

int main(void) {
    char command[128];
    CHECK(mkdtemp(root) != NULL);
    test_version_2();
    test_version_1();
    test_numbers();
    snprintf(command, sizeof command, "rm -r %s", root);
    CHECK(system(command) == 0);
    return 0;
}
