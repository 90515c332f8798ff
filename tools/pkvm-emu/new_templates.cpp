// SPDX-License-Identifier: GPL-2.0-only
#include "new_templates.h"

namespace pkvmemu::tool {
namespace {

constexpr std::string_view el1 = R"(// SPDX-License-Identifier: GPL-2.0-only
// The EL1 half: an ordinary kernel module that hands its EL2 half to the hypervisor.
#include <asm/kvm_pkvm_module.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/version.h>

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

int kvm_nvhe_sym(NAME_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(NAME_hvc)(handler_regs *regs);

static int __init NAME_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(kvm_nvhe_sym(NAME_hyp_init), &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(kvm_nvhe_sym(NAME_hvc), token);
	if (ret < 0)
		return ret;

	pr_info("NAME: hypercall %d\n", ret);
	return 0;
}
module_init(NAME_init);

MODULE_DESCRIPTION("A pKVM module");
MODULE_LICENSE("GPL");
)";

constexpr std::string_view el2 = R"(// SPDX-License-Identifier: GPL-2.0-only
// The EL2 half: runs in the hypervisor, where only pkvm_module_ops can be called.
#include <asm/kvm_pkvm_module.h>
#include <linux/version.h>

/* android14 hands a handler its CPU context, later kernels the registers. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
typedef struct kvm_cpu_context handler_regs;
#else
typedef struct user_pt_regs handler_regs;
#endif

static const struct pkvm_module_ops *pkvm_ops;

/* A hypercall: arguments in x1 to x7, the status in x0, answers in x1 to x3. */
void NAME_hvc(handler_regs *regs)
{
	DECLARE_REG(u64, number, regs, 1);

	cpu_reg(regs, 0) = SMCCC_RET_SUCCESS;
	cpu_reg(regs, 1) = number + 1;
}

/* Called once, before the host loses its privileges. An error fails the load. */
int NAME_hyp_init(const struct pkvm_module_ops *ops)
{
	pkvm_ops = ops;
	/* Seen once some module drives the console, as the sample "serial" does. */
	pkvm_ops->puts("NAME: hello from EL2");
	return 0;
}
)";

constexpr std::string_view makefile = R"(# SPDX-License-Identifier: GPL-2.0-only
# For a kernel tree: make -C KERNEL M=$PWD modules. pkvm-emu build needs none.
ifneq ($(KERNELRELEASE),)
obj-m := NAME.o
NAME-y := el1.o hyp/kvm_nvhe.o
clean-files := hyp/hyp.lds hyp/hyp-reloc.S

$(obj)/hyp/kvm_nvhe.o: FORCE
	$(Q)$(MAKE) $(build)=$(obj)/hyp $(obj)/hyp/kvm_nvhe.o
else
KDIR ?= /lib/modules/$(shell uname -r)/build

all:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules
clean:
	$(MAKE) -C $(KDIR) M=$(CURDIR) clean
endif
)";

constexpr std::string_view hyp_makefile = R"(# SPDX-License-Identifier: GPL-2.0-only
hyp-obj-y := el2.o
include $(srctree)/arch/arm64/kvm/hyp/nvhe/Makefile.module
)";

constexpr std::string_view readme = R"(<!-- SPDX-License-Identifier: GPL-2.0-only -->
# NAME
`el1.c` is the kernel half, `hyp/el2.c` the hypervisor half, each with its Makefile for a kernel tree.
Build: `pkvm-emu build .`
Run: `pkvm-emu run NAME.ko --call NAME_hvc:41`
It answers x1 = x1 + 1.
)";

}  // namespace

constinit const std::array<NewFile, 5> new_files = {{
    {"el1.c", el1},
    {"hyp/el2.c", el2},
    {"Makefile", makefile},
    {"hyp/Makefile", hyp_makefile},
    {"README.md", readme},
}};

}  // namespace pkvmemu::tool
