/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of the EL1 kernel. The linear map's place is compiled in, as in an Android kernel: 39
 * bits of virtual address (a run with pkvmemu.va_bits=48 has another one). Where RAM starts and how
 * far the image lies from its physical address are variables of the kernel.
 */
#pragma once

#include <asm/page-def.h>
#include <linux/types.h>

#define VA_BITS 39
#define PAGE_OFFSET (-(1UL << VA_BITS))
#define PAGE_END (-(1UL << (VA_BITS - 1)))

extern s64 memstart_addr;
extern u64 kimage_voffset;

#define PHYS_OFFSET ((phys_addr_t)memstart_addr)

static inline bool __is_lm_address(unsigned long address)
{
	return address - PAGE_OFFSET < PAGE_END - PAGE_OFFSET;
}

static inline phys_addr_t virt_to_phys(const volatile void *pointer)
{
	const unsigned long address = (unsigned long)pointer;

	if (__is_lm_address(address))
		return address - PAGE_OFFSET + PHYS_OFFSET;
	return address - kimage_voffset;
}

static inline void *phys_to_virt(phys_addr_t address)
{
	return (void *)((unsigned long)(address - PHYS_OFFSET) + PAGE_OFFSET);
}

#define __pa(address) virt_to_phys((const void *)(unsigned long)(address))
#define __va(address) phys_to_virt(address)

#define __phys_to_pfn(address) ((unsigned long)((address) >> PAGE_SHIFT))
#define __pfn_to_phys(pfn) ((phys_addr_t)(pfn) << PAGE_SHIFT)
#define PFN_PHYS(pfn) __pfn_to_phys(pfn)
#define PHYS_PFN(address) __phys_to_pfn(address)
#define virt_to_pfn(pointer) __phys_to_pfn(virt_to_phys(pointer))
#define pfn_to_virt(pfn) phys_to_virt(__pfn_to_phys(pfn))
