// SPDX-License-Identifier: GPL-2.0-only
/* What the actors of a stress fight for, and the threads that serve it. */
#include "workloads/stress_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "measure/clock.h"
#include "measure/sched_attr.h"

/* They serve the actors and must get through to them whatever class those have. */
#define FILLER_PRIORITY	 90u
#define DRAINER_PRIORITY 61u

static const struct {
	const char *path, *file, *value;
} groups[STRESS_GROUPS] = {
	{"/sys/fs/cgroup/stress", NULL, NULL},
	{"/sys/fs/cgroup/stress/light", "cpu.weight", "10"},
	{"/sys/fs/cgroup/stress/throttled", "cpu.max", "3000 20000"},
	{"/sys/fs/cgroup/stress/idle", "cpu.idle", "1"},
};

const char *stress_group_path(unsigned int group)
{
	return groups[group % STRESS_GROUPS].path;
}

bool stress_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t wrote = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return wrote > 0;
}

void stress_poke(struct stress *stress)
{
	uint64_t one = 1;

	if (write(stress->poke_fd, &one, sizeof(one)) < 0)
		return; /* it is poked already */
}

/* ---- pages that are missing for a while ---------------------------------------------- */

/* Who sleeps until when, by actor; 0: nobody. */
struct filling {
	struct stress *stress;
	uint64_t due_ns[STRESS_MAX_ACTORS];
};

static void take_faults(struct filling *filling)
{
	struct stress *stress = filling->stress;
	struct uffd_msg message;

	while (read(stress->fault_fd, &message, sizeof(message)) == sizeof(message)) {
		uint64_t at = message.arg.pagefault.address - (uintptr_t)stress->fault_pages;
		size_t actor = at / STRESS_PAGE_BYTES;

		if (message.event == UFFD_EVENT_PAGEFAULT && actor < STRESS_MAX_ACTORS)
			filling->due_ns[actor] =
				clock_now_ns() + stress->threads[actor].sleep_ns + 1;
	}
}

static void fill_page(struct stress *stress, size_t actor)
{
	struct uffdio_range range = {.start = (uintptr_t)stress->fault_pages +
					      actor * STRESS_PAGE_BYTES,
				     .len = STRESS_PAGE_BYTES};
	struct uffdio_zeropage page = {.range = range};

	/* Somebody else's fault on the same page came first: wake this one, too. */
	if (ioctl(stress->fault_fd, UFFDIO_ZEROPAGE, &page) && errno == EEXIST)
		ioctl(stress->fault_fd, UFFDIO_WAKE, &range);
}

/* Fills what is due, and at a round's end everything. When the next one is due; 0: none. */
static uint64_t fill_due(struct filling *filling)
{
	bool is_round = atomic_load(&filling->stress->is_round);
	uint64_t next_ns = 0, now_ns = clock_now_ns();

	for (size_t i = 0; i < filling->stress->plan->n_actors; i++) {
		uint64_t due_ns = filling->due_ns[i];

		if (!due_ns)
			continue;
		if (due_ns <= now_ns || !is_round) {
			filling->due_ns[i] = 0;
			fill_page(filling->stress, i);
		} else if (!next_ns || due_ns < next_ns) {
			next_ns = due_ns;
		}
	}
	return next_ns;
}

static void *fill(void *argument)
{
	static const struct task_class class = {.policy = SCHED_FIFO, .priority = FILLER_PRIORITY};
	struct filling filling = {.stress = argument};
	struct stress *stress = argument;

	task_class_set(&class);
	while (!atomic_load(&stress->is_over)) {
		struct pollfd fds[] = {{.fd = stress->fault_fd, .events = POLLIN},
				       {.fd = stress->poke_fd, .events = POLLIN}};
		uint64_t next_ns, now_ns, pokes;
		struct timespec timeout;

		take_faults(&filling);
		next_ns = fill_due(&filling);
		now_ns = clock_now_ns();
		next_ns = next_ns > now_ns ? next_ns - now_ns : next_ns ? 1 : 0;
		timeout = (struct timespec){.tv_sec = (time_t)(next_ns / NS_PER_S),
					    .tv_nsec = (long)(next_ns % NS_PER_S)};
		if (ppoll(fds, 2, next_ns ? &timeout : NULL, NULL) > 0 && fds[1].revents &&
		    read(stress->poke_fd, &pokes, sizeof(pokes)) < 0)
			continue;
	}
	return NULL;
}

static int make_fault_pages(struct stress *stress)
{
	size_t bytes = STRESS_MAX_ACTORS * STRESS_PAGE_BYTES;
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register wanted = {.mode = UFFDIO_REGISTER_MODE_MISSING};

	stress->poke_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	stress->fault_pages =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stress->poke_fd < 0 || stress->fault_pages == MAP_FAILED)
		return -errno;
	madvise(stress->fault_pages, bytes, MADV_NOHUGEPAGE);
	stress->fault_fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (stress->fault_fd < 0)
		return 0;
	wanted.range.start = (uintptr_t)stress->fault_pages;
	wanted.range.len = bytes;
	if (ioctl(stress->fault_fd, UFFDIO_API, &api) ||
	    ioctl(stress->fault_fd, UFFDIO_REGISTER, &wanted))
		return -errno;
	return -pthread_create(&stress->filler, NULL, fill, stress);
}

/* ---- the rest ------------------------------------------------------------------------- */

static void *drain(void *argument)
{
	static const struct task_class class = {.policy = SCHED_FIFO, .priority = DRAINER_PRIORITY};
	int master = (int)(intptr_t)argument;
	char bytes[4096];

	task_class_set(&class);
	/* Until the last slave is closed: EIO. */
	while (read(master, bytes, sizeof(bytes)) >= 0 || errno == EINTR)
		;
	return NULL;
}

/* It is mounted already, or cannot be: then opening the first one says so. */
static void mount_terminals(void)
{
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, NULL);
}

static int make_terminal(struct stress *stress, unsigned int number)
{
	struct termios settings;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char name[64];

	stress->masters[number] = master;
	if (master < 0 || unlockpt(master) || ptsname_r(master, name, sizeof(name)))
		return -errno;
	stress->slaves[number] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (stress->slaves[number] < 0 || tcgetattr(stress->slaves[number], &settings))
		return -errno;
	cfmakeraw(&settings);
	tcsetattr(stress->slaves[number], TCSANOW, &settings);
	return -pthread_create(&stress->drainers[number], NULL, drain, (void *)(intptr_t)master);
}

/* Reopened: a descriptor of its own with a position, which f_pos_lock guards once it is shared. */
static int make_file(struct stress *stress, unsigned int number)
{
	int memory = memfd_create("stress", MFD_CLOEXEC);
	char path[64];
	int err = 0;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
	if (memory < 0 || ftruncate(memory, (off_t)STRESS_FILE_BYTES))
		return -errno;
	stress->files[number] = open(path, O_RDWR | O_CLOEXEC);
	if (stress->files[number] < 0)
		err = -errno;
	close(memory);
	return err;
}

static int make_futex(struct stress *stress, unsigned int number)
{
	pthread_mutexattr_t attributes;
	int err = pthread_mutexattr_init(&attributes);

	if (!err)
		err = pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
	if (!err)
		err = pthread_mutex_init(&stress->futexes[number], &attributes);
	return -err;
}

static int make_folder(unsigned int number)
{
	char path[64];

	mkdir("/tmp/stress", 0755);
	snprintf(path, sizeof(path), "/tmp/stress/%u", number);
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

/* A kernel without cgroups has fewer disturbances, and no fault. */
static void make_groups(void)
{
	char path[128], text[32];

	stress_put("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");
	for (unsigned int i = 0; i < STRESS_GROUPS; i++) {
		mkdir(groups[i].path, 0755);
		if (!i)
			continue;
		snprintf(path, sizeof(path), "%s/cgroup.type", groups[i].path);
		stress_put(path, "threaded");
	}
	snprintf(path, sizeof(path), "%s/cgroup.procs", groups[0].path);
	snprintf(text, sizeof(text), "%d", (int)getpid());
	stress_put(path, text);
	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", groups[0].path);
	stress_put(path, "+cpu");
	for (unsigned int i = 1; i < STRESS_GROUPS; i++) {
		snprintf(path, sizeof(path), "%s/%s", groups[i].path, groups[i].file);
		stress_put(path, groups[i].value);
	}
}

static int make_buffers(struct stress *stress)
{
	size_t bytes = stress->plan->n_actors * STRESS_BUFFER_BYTES;

	stress->buffers = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	return stress->buffers == MAP_FAILED ? -errno : 0;
}

int stress_objects_make(struct stress *stress, char *problem, size_t problem_size)
{
	const struct stress_plan *plan = stress->plan;
	const char *what = "buffers";
	int err = make_buffers(stress);

	for (unsigned int i = 0; i < plan->files && !err; i++) {
		what = "a file in memory";
		err = make_file(stress, i);
	}
	for (unsigned int i = 0; i < plan->pipes && !err; i++) {
		what = "a pipe";
		err = pipe2(stress->pipes[i], O_NONBLOCK | O_CLOEXEC) ? -errno : 0;
	}
	mount_terminals();
	for (unsigned int i = 0; i < plan->terminals && !err; i++) {
		what = "a pseudo terminal";
		err = make_terminal(stress, i);
	}
	for (unsigned int i = 0; i < plan->files && !err; i++) {
		what = "a futex";
		err = make_futex(stress, i);
	}
	for (unsigned int i = 0; i < plan->folders && !err; i++) {
		what = "a folder below /tmp";
		err = make_folder(i);
	}
	make_groups();
	if (!err) {
		what = "pages that are missing";
		err = make_fault_pages(stress);
	}
	if (err)
		snprintf(problem, problem_size, "cannot make %s: %s", what, strerror(-err));
	return err;
}

void stress_objects_remove(struct stress *stress)
{
	const struct stress_plan *plan = stress->plan;

	stress_poke(stress);
	if (stress->fault_fd >= 0)
		pthread_join(stress->filler, NULL);
	for (unsigned int i = 0; i < plan->terminals; i++) {
		close(stress->slaves[i]);
		pthread_join(stress->drainers[i], NULL);
		close(stress->masters[i]);
	}
	for (unsigned int i = 0; i < plan->files; i++) {
		close(stress->files[i]);
		pthread_mutex_destroy(&stress->futexes[i]);
	}
	for (unsigned int i = 0; i < plan->pipes; i++) {
		close(stress->pipes[i][0]);
		close(stress->pipes[i][1]);
	}
	munmap(stress->buffers, plan->n_actors * STRESS_BUFFER_BYTES);
	munmap(stress->fault_pages, STRESS_MAX_ACTORS * STRESS_PAGE_BYTES);
	close(stress->poke_fd);
	if (stress->fault_fd >= 0)
		close(stress->fault_fd);
}
