// SPDX-License-Identifier: GPL-2.0-only
// Loads its EL2 half, with something gone wrong on the way (`fault`), and looks whether its pages
// are its own afterwards. Goes on living whatever the load answered, unless told otherwise.
#include <asm/kvm_pkvm_module.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "../handler.h"

int kvm_nvhe_sym(steps_hyp_init)(const struct pkvm_module_ops *ops);
void kvm_nvhe_sym(steps_hvc)(handler_regs *regs);
extern int kvm_nvhe_sym(steps_init_answer);
extern int kvm_nvhe_sym(steps_registers);
extern u64 kvm_nvhe_sym(steps_in_bss)[];
extern u64 *volatile kvm_nvhe_sym(steps_pointer);

extern char hyp_text[] __asm__("__kvm_nvhe___hyp_section_.hyp.text");
extern char hyp_rodata[] __asm__("__kvm_nvhe___hyp_section_.hyp.rodata");
extern char hyp_data[] __asm__("__kvm_nvhe___hyp_section_.hyp.data");

static char *fault = "none";
module_param(fault, charp, 0444);
/* Numbers of this generation's hypercalls. */
static unsigned int share, unshare, alloc, unmap, finalize, init;
module_param(share, uint, 0444);
module_param(unshare, uint, 0444);
module_param(alloc, uint, 0444);
module_param(unmap, uint, 0444);
module_param(finalize, uint, 0444);
module_param(init, uint, 0444);

static void touch(struct work_struct *work)
{
	pr_info("steps: EL1 reads %llx\n", *(volatile u64 *)hyp_data);
}
static DECLARE_WORK(touching, touch);

static u64 frame(const void *address)
{
	u64 par;

	asm volatile("at s1e1r, %1\n isb\n mrs %0, par_el1" : "=r"(par) : "r"(address));
	return (par & 0x0000fffffffff000UL) >> PAGE_SHIFT;
}

static struct arm_smccc_res call(unsigned int number, u64 a, u64 b)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(KVM_HOST_SMCCC_ID(number), a, b, &res);
	return res;
}

/* A page that the host owns can be shared; one of the hypervisor's cannot. */
static const char *owner(const void *address)
{
	if (call(share, frame(address), 0).a1)
		return "hyp";
	call(unshare, frame(address), 0);
	return "host";
}

static void show_owners(void)
{
	pr_info("steps: text %s bss %s rodata %s data %s\n", owner(hyp_text),
		owner(kvm_nvhe_sym(steps_in_bss)), owner(hyp_rodata), owner(hyp_data));
}

/* How often .hyp.reloc has moved the pointer. */
static void show_moves(const u64 *before, unsigned long token)
{
	const u64 delta = token - (u64)KMI_EL2_BASE(THIS_MODULE->arch.hyp);
	const u64 moved = (u64)kvm_nvhe_sym(steps_pointer) - (u64)before;

	pr_info("steps: pointer moved %d\n", !moved ? 0 : moved == delta ? 1 : 2);
}

/* The init call once more, as the kernel makes it. */
static void init_again(unsigned long token)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
	const u64 argument = pkvm_el2_mod_va((void *)kvm_nvhe_sym(steps_hyp_init), token);
#else
	const u64 argument = __get_free_page(GFP_KERNEL);

	memcpy((void *)argument, &THIS_MODULE->arch.hyp, sizeof(THIS_MODULE->arch.hyp));
	call(share, frame((void *)argument), 0);
#endif
	kvm_nvhe_sym(steps_init_answer) = -22;
	pr_info("steps: init again %lx\n", call(init, argument, 0).a1);
}

static bool is(const char *name)
{
	return !strcmp(fault, name);
}

static void before_load(void)
{
	unsigned int i;

	if (is("shared"))
		call(share, frame(hyp_data), 0);
	if (is("no-va"))
		for (i = 30; i-- > 0;)
			while (call(alloc, 1UL << i, 0).a1)
				;
	if (is("finalized"))
		call(finalize, 0, 0);
	if (is("init") || is("registers"))
		kvm_nvhe_sym(steps_init_answer) = -22;
	kvm_nvhe_sym(steps_registers) = is("registers") || is("notifier");
}

static void after_load(unsigned long token)
{
	struct arm_smccc_res res;

	if (is("shared"))
		call(unshare, frame(hyp_data), 0);
	if (is("twice"))
		pr_info("steps: again %d\n", pkvm_load_el2_module(kvm_nvhe_sym(steps_hyp_init), NULL));
	if (is("init-again"))
		init_again(token);
	if (is("touch"))
		schedule_work(&touching);
	if (is("write-text"))
		*(volatile u32 *)hyp_text = 0;
	if (is("unmap")) {
		res = call(unmap, frame(hyp_data), pkvm_el2_mod_va(hyp_data, token));
		pr_info("steps: unmap x0 %lx x1 is the frame %d\n", res.a0, res.a1 == frame(hyp_data));
	}
	if (is("unmap-twice"))
		call(unmap, frame(hyp_data), pkvm_el2_mod_va(hyp_data, token) + PAGE_SIZE);
}

static void register_and_call(unsigned long token, int loaded)
{
	const int id = pkvm_register_el2_mod_call(kvm_nvhe_sym(steps_hvc), token);

	pr_info("steps: hypercall %d\n", id);
	if (loaded && !is("twice"))
		pr_info("steps: called %lu\n", pkvm_el2_mod_call(id));
}

static int __init steps_init(void)
{
	u64 *const before = kvm_nvhe_sym(steps_pointer);
	unsigned long token = 0;
	int ret;

	before_load();
	ret = pkvm_load_el2_module(kvm_nvhe_sym(steps_hyp_init), is("no-token") ? NULL : &token);
	pr_info("steps: load %d token %lx\n", ret, token);
	if (is("no-token") || is("finalized"))
		return 0;
	if (!ret || is("init"))
		register_and_call(token, !ret);
	after_load(token);
	show_moves(before, token);
	show_owners();
	return is("el1") ? -ENODEV : 0;
}
module_init(steps_init);

MODULE_DESCRIPTION("Loads with a fault on the way");
MODULE_LICENSE("GPL");
