/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_QEMU_TURNS_H
#define BENCH_QEMU_TURNS_H

/* The library that makes QEMU's threads take turns (bench/qemu_turns.c says why). */
#define QEMU_TURNS_LIBRARY "proxeval-qemu-turns.so"
/* With this in its environment, a program that has the library in it prints the sign first. */
#define QEMU_TURNS_CHECK "PROXEVAL_QEMU_TURNS_CHECK"
#define QEMU_TURNS_SIGN	 "proxeval: threads take turns"

/*
 * Virtual time's end, in ns of QEMU's clock: a guest that is still there gets an NMI, which a
 * kernel booted with unknown_nmi_panic answers with a stack, and is gone soon after. A timer is set
 * for it from the beginning, so that even a guest that waits for nothing gets there. One whose CPUs
 * do nothing but spin gets there at once: virtual time nearly stands still then. Behind a comma
 * stands how many CPUs it has.
 */
#define QEMU_TURNS_LIMIT "PROXEVAL_QEMU_LIMIT_NS"
/* Virtual time's pause: the machine stops there, for a debugger. */
#define QEMU_TURNS_STOP "PROXEVAL_QEMU_STOP_NS"
/* What QEMU then says on its standard error, with the time in ns behind it. */
#define QEMU_TURNS_LIMIT_SIGN "proxeval: virtual time is up at"
#define QEMU_TURNS_STOP_SIGN  "proxeval: the machine is stopped at"

#endif
