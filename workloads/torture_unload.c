// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/torture_unload.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A program that is still under way when its file is closed. */
#define STAY_NS UINT64_C(200000000)
/* Nobody has posted it before. */
#define EVENT_BEGUN (LAB_EVENTS - 1)

static void note(struct torture_unload_findings *findings, const char *what, int answer)
{
	if (!findings->wrong++)
		snprintf(findings->first_wrong, sizeof(findings->first_wrong), "%s: %s", what,
			 answer ? strerror(-answer) : "it went");
}

/* It has to stay. */
static void try_in_vain(struct torture_unload_findings *findings, const char *what)
{
	int answer = lab_unload();

	findings->tried++;
	if (answer == -EWOULDBLOCK)
		findings->refused++;
	else
		note(findings, what, answer);
}

static int open_device(void)
{
	int fd = open(LAB_DEVICE_PATH, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int run(const struct lab_session *session, const struct lab_operation *operations,
	       uint32_t n)
{
	struct lab_result results[4];
	uint32_t done;
	int err = lab_run_program(session, 0, operations, n, results, &done);

	return err || done == n ? err : results[done].status;
}

/* ---- a file that is closed under its program ---------------------------------------- */

struct orphan {
	struct lab_session session;
	int answer;
};

static void *run_orphan(void *argument)
{
	static const struct lab_operation operations[] = {{LAB_LOCK, 0, 0},
							  {LAB_POST, EVENT_BEGUN, 0},
							  {LAB_SLEEP, 0, STAY_NS},
							  {LAB_UNLOCK, 0, 0}};
	struct orphan *orphan = argument;

	orphan->answer = run(&orphan->session, operations, 4);
	return NULL;
}

/* The last that holds it is the call that is under way. */
static int orphan_program(struct torture_unload_findings *findings, struct lab_session *session)
{
	const struct lab_operation begun = {LAB_WAIT, EVENT_BEGUN, LAB_MAX_OPERATION_NS};
	struct orphan orphan = {.session.fd = session->fd};
	struct lab_result result;
	pthread_t thread;
	uint32_t done;
	int err = -pthread_create(&thread, NULL, run_orphan, &orphan);

	if (err)
		return err;
	err = lab_run_program(session, 1, &begun, 1, &result, &done);
	close(session->fd);
	session->fd = -1;
	try_in_vain(findings, "unloaded under a program whose file is closed");
	pthread_join(thread, NULL);
	if (orphan.answer)
		note(findings, "a program whose file was closed", orphan.answer);
	return err;
}

/* ---- under who comes and goes --------------------------------------------------------- */

struct guest {
	atomic_bool is_over;
	uint64_t runs;
	int answer; /* of the first program that failed */
};

static void *come_and_go(void *argument)
{
	static const struct lab_operation operations[] = {{LAB_LOCK, 0, 0}, {LAB_UNLOCK, 0, 0}};
	struct guest *guest = argument;

	while (!atomic_load(&guest->is_over)) {
		struct lab_session session = {.fd = open_device()};
		int answer;

		if (session.fd < 0)
			continue; /* gone just now */
		answer = run(&session, operations, 2);
		close(session.fd);
		guest->runs++;
		if (answer && !guest->answer)
			guest->answer = answer;
	}
	return NULL;
}

static void unload_and_load(struct torture_unload_findings *findings)
{
	struct lab_session session;
	char reason[256];
	int answer = lab_unload();

	findings->tried++;
	if (answer == -EWOULDBLOCK)
		findings->refused++;
	else if (answer)
		note(findings, "unloaded under one who comes and goes", answer);
	if (answer)
		return;
	/* It stays loaded until the next time. */
	answer = lab_session_open(&session, reason, sizeof(reason));
	if (answer) {
		note(findings, "loaded again", answer);
		return;
	}
	findings->unloaded++;
	close(session.fd);
}

static int unload_under_guest(struct torture_unload_findings *findings, unsigned int cycles)
{
	struct guest guest = {0};
	pthread_t thread;
	int err = -pthread_create(&thread, NULL, come_and_go, &guest);

	if (err)
		return err;
	for (unsigned int i = 0; i < cycles; i++)
		unload_and_load(findings);
	atomic_store(&guest.is_over, true);
	pthread_join(thread, NULL);
	findings->runs = guest.runs;
	if (guest.answer)
		note(findings, "a program while it was unloaded", guest.answer);
	return 0;
}

int torture_unload_try(struct lab_session *session, unsigned int cycles,
		       struct torture_unload_findings *findings)
{
	int err, answer;

	*findings = (struct torture_unload_findings){0};
	try_in_vain(findings, "unloaded while it is open");
	if (!session->is_loaded_here) {
		lab_session_close(session);
		return 0;
	}
	session->is_loaded_here = false;
	err = orphan_program(findings, session);
	if (!err)
		err = unload_under_guest(findings, cycles);
	/* Nobody uses it now. */
	answer = lab_unload();
	findings->tried++;
	if (answer)
		note(findings, "unloaded when nobody uses it", answer);
	else if (!access(LAB_DEVICE_PATH, F_OK))
		note(findings, "unloaded, and its device is still there", 0);
	return err;
}
