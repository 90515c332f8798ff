// SPDX-License-Identifier: GPL-2.0-only
// The kernel's library as a driver uses it: messages, memory, strings, pages. 0, or -EIO after a
// message that names the line.
#define pr_fmt(fmt) "library: " fmt

#include <asm/memory.h>
#include <asm/page.h>
#include <linux/bug.h>
#include <linux/gfp.h>
#include <linux/kern_levels.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "services.h"

#define EXPECT(condition)                                         \
	do {                                                      \
		if (!(condition)) {                               \
			pr_err("line %d: %s\n", __LINE__, #condition); \
			return -EIO;                              \
		}                                                 \
	} while (0)

static int try_messages(void)
{
	int i;

	printk(KERN_INFO "library: printk\n");
	pr_emerg("emerg\n");
	pr_alert("alert\n");
	pr_crit("crit\n");
	pr_err("err\n");
	pr_warn("warn\n");
	pr_notice("notice %s %5d %-3u| %#x %c\n", "text", -5, 7u, 0xabc, 'z');
	pr_info("in two");
	pr_cont(" parts\n");
	pr_debug("never shown %d\n", 1);
	pr_devel("never shown %d\n", 2);
	for (i = 0; i < 3; i++)
		pr_info_once("once\n");
	pr_warn_ratelimited("limited\n");
	return 0;
}

static int try_memory(void)
{
	int *list = kcalloc(8, sizeof(*list), GFP_KERNEL);
	char *buffer = kmalloc(32, GFP_ATOMIC);
	u64 *array = kmalloc_array(4, sizeof(u64), GFP_KERNEL);
	void *zeroed = kzalloc(SZ_64, GFP_KERNEL);
	void *large = vzalloc(SZ_64K);
	void *either = kvzalloc(SZ_8K, GFP_KERNEL);
	char *text = kasprintf(GFP_KERNEL, "%d-%s", 42, "x");

	EXPECT(list && buffer && array && zeroed && large && either && text);
	EXPECT(!list[7] && !memchr_inv(zeroed, 0, SZ_64) && !memchr_inv(large, 0, SZ_64K));
	EXPECT(!strcmp(text, "42-x"));
	list = krealloc(list, SZ_1K, GFP_KERNEL);
	EXPECT(list && ksize(list) >= SZ_1K);
	kfree(list);
	kfree_sensitive(buffer);
	kfree(array);
	kfree(zeroed);
	vfree(large);
	kvfree(either);
	kfree(text);
	return 0;
}

static int try_strings(void)
{
	char buffer[16];
	char *copy = kstrdup("one two", GFP_KERNEL);
	void *same = kmemdup("abc", 4, GFP_KERNEL);
	unsigned long number;

	EXPECT(copy && same && !memcmp(same, "abc", 4));
	EXPECT(strlen(copy) == 7 && strnlen(copy, 3) == 3 && strstr(copy, "two") == copy + 4);
	EXPECT(strchr(copy, ' ') == copy + 3 && strrchr(copy, 'o') == copy + 6);
	EXPECT(strncmp(copy, "one three", 4) == 0 && strcmp(copy, "one") > 0);
	EXPECT(strscpy(buffer, copy, sizeof(buffer)) == 7);
	EXPECT(snprintf(buffer, sizeof(buffer), "%08lx", 0xbeefUL) == 8);
	EXPECT(!strcmp(buffer, "0000beef"));
	EXPECT(scnprintf(buffer, 4, "%d", 123456) == 3 && !strcmp(buffer, "123"));
	EXPECT(!kstrtoul("0x1f", 0, &number) && number == 31);
	memmove(copy + 1, copy, 3);
	memcpy(buffer, copy, 5);
	EXPECT(!memcmp(buffer, "oonet", 5));
	kfree(copy);
	kfree(same);
	return 0;
}

static int try_pages(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 1);
	const unsigned long address = __get_free_page(GFP_KERNEL);
	void *exact = alloc_pages_exact(3 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);

	EXPECT(page && address && exact && virt_addr_valid(exact));
	EXPECT(PAGE_ALIGNED(page_address(page)) && virt_to_page(page_address(page)) == page);
	EXPECT(page_to_phys(page) == virt_to_phys(page_address(page)));
	EXPECT(pfn_to_page(page_to_pfn(page)) == page && phys_to_page(page_to_phys(page)) == page);
	EXPECT(phys_to_virt(__pa(address)) == (void *)address && __va(__pa(address)) == (void *)address);
	EXPECT(virt_to_pfn((void *)address) == PHYS_PFN(__pa(address)));
	EXPECT(offset_in_page(address + 5) == 5 && PAGE_ALIGN(address + 1) == address + PAGE_SIZE);
	EXPECT(min(3, 4) == 3 && max_t(u64, 3, 4) == 4 && clamp(9, 1, 5) == 5);
	EXPECT(DIV_ROUND_UP(SZ_4K + 1, PAGE_SIZE) == 2 && round_up(5, 4) == 8);
	__free_pages(page, 1);
	free_page(address);
	free_pages_exact(exact, 3 * PAGE_SIZE);
	return 0;
}

int services_try_library(void)
{
	const int ret = try_messages() ?: try_memory() ?: try_strings() ?: try_pages();

	if (!ret)
		pr_info("complete\n");
	return ret;
}
