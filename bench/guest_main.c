// SPDX-License-Identifier: GPL-2.0-only
/*
 * proxeval-guest: what a virtual machine's process 1 is. A program of its own, stripped and
 * with nothing in it but what measures: in virtual time a guest's every byte counts, and
 * figures must not change because a report's writer did, or the folder it was built in.
 */
#include <signal.h>

#include "bench/guest.h"

/* The kernel hands its unknown boot arguments to process 1: none of them is for us. */
int main(void)
{
	/* A reader that goes away must not end us in the middle of things that need an end. */
	signal(SIGPIPE, SIG_IGN);
	return guest_main();
}
