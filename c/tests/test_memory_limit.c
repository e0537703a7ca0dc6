/* The limits of control groups: the least of a group and those above it, both versions, wherever they are mounted, and no
 * limit where nothing is said. The trees are made here. */
#include <lockfree/blocks/memory_limit.h>

#include "check.h"

#include <sys/stat.h>

static char root[32] = "/tmp/test-memory-limit-XXXXXX";

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
    group("/a", "6000\n", "500\n", "inactive_file 0\n");
    write_file("/a", "memory.high", "max\n");
    CHECK_EQ(lf__groups_leave(root, "/a", 1), 5500);
    write_file("/a", "memory.high", "2000\n"); /* beyond it everything is slow */
    CHECK_EQ(lf__groups_leave(root, "/a", 1), 1500);
}

static void test_version_1(void) {
    make_folder("/c");
    write_file("/c", "memory.limit_in_bytes", "9223372036854771712\n"); /* none */
    write_file("/c", "memory.usage_in_bytes", "4000\n");
    CHECK_EQ(lf__groups_leave(root, "/c", 0), UINT64_MAX);
    write_file("/c", "memory.limit_in_bytes", "10000\n");
    write_file("/c", "memory.stat", "inactive_file 3\ntotal_inactive_file 500\n");
    CHECK_EQ(lf__groups_leave(root, "/c", 0), 6500);
    write_file("/c", "memory.stat", "hierarchical_memory_limit 7000\ntotal_inactive_file 500\n");
    CHECK_EQ(lf__groups_leave(root, "/c", 0), 3500); /* a group above, which nobody here can see */
}

/* ---- whole trees: what /proc/self/cgroup and mountinfo say, in which folders ---- */

static char tree[128];

static void make_path(const char *path) {
    char command[512];
    snprintf(command, sizeof command, "mkdir -p '%s%s'", tree, path);
    CHECK(system(command) == 0);
}
/* Limits of a group; `used` of it are in use. */
static void grown(const char *folder, int v2, const char *limit, const char *used) {
    char path[256];
    make_path(folder);
    snprintf(path, sizeof path, "%s%s", tree + strlen(root), folder);
    write_file(path, v2 ? "memory.max" : "memory.limit_in_bytes", limit);
    write_file(path, v2 ? "memory.current" : "memory.usage_in_bytes", used);
    write_file(path, "cgroup.procs", "1\n");
}
static uint64_t leaves(const char *groups, const char *mounts) {
    make_path("/proc/self");
    char path[256];
    snprintf(path, sizeof path, "%s/proc/self", tree + strlen(root));
    write_file(path, "cgroup", groups);
    write_file(path, "mountinfo", mounts);
    return lf__control_groups_leave(tree);
}
static void new_tree(const char *name) { snprintf(tree, sizeof tree, "%s/%s", root, name); }

#define V1 "35 31 0:32 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n"
#define V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

static void test_trees(void) {
    new_tree("usual");
    grown("/sys/fs/cgroup", 1, "max\n", "0\n");
    grown("/sys/fs/cgroup/user/task", 1, "9000\n", "100\n");
    grown("/sys/fs/cgroup/user", 1, "5000\n", "1000\n");
    CHECK_EQ(leaves("0::/user/task\n", V2), 4000); /* the one above is tighter */
    CHECK_EQ(leaves("0::/user/task\n", ""), 4000);
    CHECK_EQ(leaves("0::/\n", V2), UINT64_MAX);
    CHECK_EQ(leaves("", ""), UINT64_MAX);
    CHECK_EQ(leaves("0::/user/task (deleted)\n", V2), 4000); /* those above are still there */

    new_tree("hybrid");
    grown("/sys/fs/cgroup/unified/job", 1, "8000\n", "0\n");
    grown("/sys/fs/cgroup/memory/job", 0, "7000\n", "1000\n");
    CHECK_EQ(leaves("4:memory:/job\n1:name=systemd:/job\n0::/job\n", V1), 6000);
    CHECK_EQ(leaves("4:cpu,memory:/job\n", V1), 6000);
    CHECK_EQ(leaves("4:name=memory:/job\n", V1), UINT64_MAX); /* a name, and no controller */

    /* A container of the old kind: its group is what is mounted, and the path is the one outside. */
    new_tree("container");
    grown("/sys/fs/cgroup/memory", 0, "6000\n", "1000\n");
    grown("/sys/fs/cgroup/memory/inner", 0, "3000\n", "1000\n");
    const char *bound = "36 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
    CHECK_EQ(leaves("4:memory:/docker/abc\n", bound), 5000);
    CHECK_EQ(leaves("4:memory:/docker/abc/inner\n", bound), 2000);
    CHECK_EQ(leaves("4:memory:/docker/abcd\n", bound), 5000); /* not below what is mounted, which counts anyway */

    /* A process that was moved out of its namespace: the path climbs above the root that it sees. */
    new_tree("namespace");
    grown("/sys/fs/cgroup", 1, "9000\n", "1000\n");
    grown("/sys/fs", 1, "10\n", "0\n"); /* no group: nobody may look there */
    grown("/sys/other", 1, "10\n", "0\n");
    CHECK_EQ(leaves("0::/..\n", V2), 8000);
    CHECK_EQ(leaves("0::/../../other\n", V2), 8000);
    grown("/sys/fs/cgroup/mine", 1, "3000\n", "1000\n");
    CHECK_EQ(leaves("0::/../mine\n", "30 23 0:26 /.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"), 2000);

    /* Names that mountinfo writes with escapes, and /proc/self/cgroup without. */
    new_tree("escaped");
    grown("/my groups/inner", 1, "3000\n", "1000\n");
    grown("/my groups", 1, "6000\n", "1000\n");
    const char *escaped = "30 23 0:26 /app-x\\134x2dy.slice /my\\040groups rw - cgroup2 cgroup2 rw\n";
    CHECK_EQ(leaves("0::/app-x\\x2dy.slice/inner\n", escaped), 2000);
    CHECK_EQ(leaves("0::/app-x\\x2dy.slice\n", escaped), 5000);
    char text[] = "\\101\\04\\\\0129\\8";
    lf__unescape(text);
    CHECK(strcmp(text, "A\\04\\\n9\\8") == 0);

    /* Mounted at a place of its own, behind lines of all kinds. */
    new_tree("elsewhere");
    grown("/groups/deep", 1, "4000\n", "1000\n");
    char mounts[20000] = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\nnonsense\n";
    memset(mounts + strlen(mounts), 'x', 9000);
    strcat(mounts, "\n30 23 0:26 / /groups rw - cgroup2 none rw\n31 23 0:27 / /tmp rw - tmpfs - rw\n");
    CHECK_EQ(leaves("0::/deep\n", mounts), 3000);
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
    test_trees();
    test_numbers();
    snprintf(command, sizeof command, "rm -r %s", root);
    CHECK(system(command) == 0);
    return 0;
}
