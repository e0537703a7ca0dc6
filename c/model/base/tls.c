/* tls.c: thread-local variables. The fibers of a client that has any borrow the thread pointers of real threads,
 * which sleep for ever: so each thread's variables have addresses of their own, at the same place in every run. */
#define _GNU_SOURCE
#include "base.h"

#include <dlfcn.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

#define SLEEPERS_AT ((char *)0x280000000000)
enum { SLEEPER_STACK = 1 << 20 };

struct image {
    char *block; /* of the thread that asks */
    size_t bytes;
    const char *initial;
    size_t initial_bytes;
};
MODEL_STATE static struct image image; /* of the main thread */
MODEL_STATE static char *of_setup, *block[MAX_THREADS];
MODEL_STATE static void *pointer[MAX_THREADS];
MODEL_STATE static volatile int sleeping;

static int find(struct dl_phdr_info *info, size_t size, void *found) {
    (void)size;
    struct image *here = found;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS && info->dlpi_tls_data != NULL)
            *here = (struct image){info->dlpi_tls_data, info->dlpi_phdr[i].p_memsz,
                                   (const char *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr),
                                   info->dlpi_phdr[i].p_filesz};
    return 1; /* the program itself comes first; nothing else is the client's */
}

static void *thread_pointer(void) {
    void *value;
#if defined(__x86_64__)
    __asm__ volatile("mov %%fs:0, %0" : "=r"(value));
#elif defined(__aarch64__)
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(value));
#else
    value = NULL;
#endif
    return value;
}

static void set_thread_pointer(void *value) {
#if defined(__x86_64__)
    if ((getauxval(AT_HWCAP2) & 2) != 0) /* the kernel allows the instruction */
        __asm__ volatile("wrfsbase %0" : : "r"(value) : "memory");
    else
        __asm__ volatile("syscall" : : "a"(SYS_arch_prctl), "D"(ARCH_SET_FS), "S"(value) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(value) : "memory");
#endif
}

static void *sleep_for_ever(void *argument) {
    int tid = (int)(intptr_t)argument;
    struct image mine = {0};
    dl_iterate_phdr(find, &mine);
    block[tid] = mine.block;
    pointer[tid] = thread_pointer();
    __atomic_fetch_add(&sleeping, 1, __ATOMIC_RELEASE);
    for (;;)
        poll(NULL, 0, -1);
    return NULL;
}

void tls_start(void) {
    dl_iterate_phdr(find, &image);
    if (image.bytes == 0)
        return;
    int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
    *(void **)&create = dlsym(RTLD_NEXT, "pthread_create"); /* not the one that clients are told not to call */
    size_t bytes = (size_t)MAX_THREADS * SLEEPER_STACK;
    char *stacks = mmap(SLEEPERS_AT, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* inherited: signals are the main thread's */
    pointer[0] = thread_pointer();
    block[0] = image.block;
    for (int t = 1; t < MAX_THREADS; t++) {
        pthread_attr_t attributes;
        pthread_t thread;
        pthread_attr_init(&attributes);
        pthread_attr_setstack(&attributes, stacks + (size_t)t * SLEEPER_STACK, SLEEPER_STACK);
        if (stacks != SLEEPERS_AT || create == NULL ||
            create(&thread, &attributes, sleep_for_ever, (void *)(intptr_t)t) != 0) {
            say("unusable\tno room for thread-local variables\n");
            end_checker(3);
        }
    }
    while (__atomic_load_n(&sleeping, __ATOMIC_ACQUIRE) < MAX_THREADS - 1)
        poll(NULL, 0, 1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    of_setup = malloc(image.bytes);
}

/* After setup; the thread pointer is the main thread's. */
void tls_snapshot(void) {
    if (image.bytes != 0)
        memcpy(of_setup, block[0], image.bytes);
}

/* As a new thread finds them; tid 0: as setup left its own. */
void tls_reset(int tid) {
    if (image.bytes == 0)
        return;
    if (tid == 0) {
        memcpy(block[0], of_setup, image.bytes);
        return;
    }
    memcpy(block[tid], image.initial, image.initial_bytes);
    memset(block[tid] + image.initial_bytes, 0, image.bytes - image.initial_bytes);
}

void tls_switch(int tid) {
    if (image.bytes != 0)
        set_thread_pointer(pointer[tid]);
}

const char *tls_block(int tid, size_t *bytes) {
    *bytes = block[tid] != NULL ? image.bytes : 0;
    return block[tid];
}

int tls_owner(uintptr_t address) {
    uintptr_t tid = (address - (uintptr_t)SLEEPERS_AT) / SLEEPER_STACK;
    return tid < MAX_THREADS && block[tid] != NULL && address - (uintptr_t)block[tid] < image.bytes ? (int)tid : 0;
}

void tls_print(void) {
    for (int t = 1; t <= R.threads && image.bytes != 0; t++)
        say("local\t%d\t%lx\t%lu\n", t, (unsigned long)block[t], (unsigned long)image.bytes);
}
