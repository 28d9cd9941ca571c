/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_QEMU_TURNS_H
#define BENCH_QEMU_TURNS_H

/* The library that makes QEMU's threads take turns (bench/qemu_turns.c says why). */
#define QEMU_TURNS_LIBRARY "proxeval-qemu-turns.so"
/* With this in its environment, a program that has the library in it prints the sign first. */
#define QEMU_TURNS_CHECK "PROXEVAL_QEMU_TURNS_CHECK"
#define QEMU_TURNS_SIGN	 "proxeval: threads take turns"

#endif
