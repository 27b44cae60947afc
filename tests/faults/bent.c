/* A clock that jumps, and a disk and a store that are slow, for the processes of one installation.
 *
 * Loaded before the C library. EXPUNGE_FAULT_DIALS names a file of three 64-bit numbers: nanoseconds
 * by which the clock is off, microseconds that each fsync takes longer, and microseconds that each
 * open, read and write of a file takes longer that lies under the folder "store" of EXPUNGE_HOME.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t none[3];
static volatile int64_t *dials;

static volatile int64_t *turned(void) {
    if (dials) return dials;
    const char *path = getenv("EXPUNGE_FAULT_DIALS");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(0, sizeof none, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    return dials = page == MAP_FAILED ? none : page;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(clock, now);
    int64_t off = clock == CLOCK_REALTIME ? turned()[0] : 0;
    if (failed || !off) return failed;
    int64_t whole = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + off;
    now->tv_sec = whole / 1000000000;
    now->tv_nsec = whole % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact)) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (kept) *kept = exact.tv_sec;
    return exact.tv_sec;
}

static void wait_longer(int dial) {
    if (turned()[dial]) usleep((useconds_t)turned()[dial]);
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    wait_longer(1);
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    wait_longer(1);
    return real(file);
}

#define FILES 65536
static volatile char stored[FILES]; /* whether a file that is open lies in the store */

static int in_store(const char *path) {
    static char folder[PATH_MAX + 8];
    if (!folder[0]) {
        const char *home = getenv("EXPUNGE_HOME");
        char whole[PATH_MAX];
        if (!home || !realpath(home, whole)) return 0;
        snprintf(folder, sizeof folder, "%s/store/", whole);
    }
    return !strncmp(path, folder, strlen(folder));
}

static int noted(int file, const char *path) {
    int slow = in_store(path);
    if (file >= 0 && file < FILES) stored[file] = (char)slow;
    if (slow) wait_longer(2);
    return file;
}

#define OPENS(name)                                                    \
    int name(const char *path, int flags, ...) {                       \
        static int (*real)(const char *, int, ...);                    \
        if (!real) real = dlsym(RTLD_NEXT, #name);                     \
        va_list more;                                                  \
        va_start(more, flags);                                         \
        int makes = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE; \
        mode_t mode = makes ? va_arg(more, mode_t) : 0;                \
        va_end(more);                                                  \
        return noted(real(path, flags, mode), path);                   \
    }
OPENS(open)
OPENS(open64)

static void wait_for(int file) {
    if (file >= 0 && file < FILES && stored[file]) wait_longer(2);
}

ssize_t read(int file, void *into, size_t most) {
    static ssize_t (*real)(int, void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "read");
    wait_for(file);
    return real(file, into, most);
}

ssize_t write(int file, const void *from, size_t most) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    wait_for(file);
    return real(file, from, most);
}

int close(int file) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "close");
    if (file >= 0 && file < FILES) stored[file] = 0; /* the number may become a socket's */
    return real(file);
}
