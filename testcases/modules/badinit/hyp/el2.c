// SPDX-License-Identifier: GPL-2.0-only
// An init that never comes to its end: by default a stray store, with -D HANGS an endless loop.
#include <asm/kvm_pkvm_module.h>

#define NOWHERE 0xdead000UL

int badinit_hyp_init(const struct pkvm_module_ops *ops)
{
#ifdef HANGS
	for (;;)
		__asm__ volatile("" ::: "memory");
#else
	WRITE_ONCE(*(u64 *)NOWHERE, 1);
#endif
	return 0;
}
