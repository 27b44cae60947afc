/* A clock that jumps and a disk that is slow, for the processes of one installation.
 *
 * Loaded before the C library. EXPUNGE_FAULT_DIALS names a file of two 64-bit numbers: nanoseconds
 * by which the clock is off, and microseconds that each fsync takes longer.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t none[2];
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

static void wait_longer(void) {
    if (turned()[1]) usleep((useconds_t)turned()[1]);
}

int fsync(int file) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fsync");
    wait_longer();
    return real(file);
}

int fdatasync(int file) {
    static int (*real)(int);
    if (!real) real = dlsym(RTLD_NEXT, "fdatasync");
    wait_longer();
    return real(file);
}
