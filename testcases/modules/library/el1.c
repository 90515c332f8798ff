// SPDX-License-Identifier: GPL-2.0-only
// Memory, strings, pages and numbers: one line for each group, "ok" or the step that went wrong.
#include <asm/memory.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#define EXPECT(condition) \
	do {                  \
		if (!(condition)) \
			return __LINE__; \
	} while (0)

static int memory(void)
{
	char *small = kzalloc(24, GFP_KERNEL);
	char *grown;
	u64 *many = kcalloc(100, sizeof(u64), GFP_KERNEL);
	char *big = vmalloc(3 * PAGE_SIZE);

	EXPECT(small && many && big);
	EXPECT(!memchr_inv(small, 0, 24) && !memchr_inv(many, 0, 800));
	EXPECT(ksize(small) >= 24 && IS_ALIGNED((unsigned long)big, PAGE_SIZE));
	strscpy(small, "grows", 24);
	grown = krealloc(small, 5000, GFP_KERNEL);
	EXPECT(grown && !strcmp(grown, "grows"));
	EXPECT(kmalloc(0, GFP_KERNEL) == ZERO_SIZE_PTR);
	EXPECT(!kmalloc_array(~0UL, 2, GFP_KERNEL));
	kfree(ZERO_SIZE_PTR);
	kfree(NULL);
	kfree(grown);
	kfree(many);
	vfree(big);
	return 0;
}

static int pages(void)
{
	const unsigned long page = get_zeroed_page(GFP_KERNEL);
	const unsigned long four = __get_free_pages(GFP_KERNEL, get_order(4 * PAGE_SIZE));

	EXPECT(page && PAGE_ALIGNED(page) && !memchr_inv((void *)page, 0, PAGE_SIZE));
	EXPECT(four && IS_ALIGNED(four, 4 * PAGE_SIZE));
	EXPECT(phys_to_virt(virt_to_phys((void *)page)) == (void *)page);
	EXPECT(virt_to_phys((void *)page) - PHYS_OFFSET == page - PAGE_OFFSET);
	EXPECT(PHYS_PFN(virt_to_phys((void *)four)) == virt_to_pfn((void *)four));
	free_pages(four, 2);
	free_page(page);
	return 0;
}

static int strings(void)
{
	char text[16] = "  a,b  ";
	char *rest = strim(text);
	char *copy = kstrdup(rest, GFP_KERNEL);

	EXPECT(copy && !strcmp(copy, "a,b"));
	EXPECT(!strcmp(strsep(&copy, ","), "a") && !strcmp(copy, "b"));
	kfree(copy - 2);
	EXPECT(strlcat(text, "xy", sizeof(text)) == 7 && !strcasecmp(text, "  A,BXY"));
	EXPECT(strcspn("ab:c", ":") == 2 && strspn("aab", "a") == 2);
	EXPECT(strnstr("abcabd", "abd", 6) && !strnstr("abcabd", "abd", 5));
	EXPECT(strscpy(text, "much too long for it", sizeof(text)) == -E2BIG);
	return 0;
}

static int numbers(void)
{
	unsigned int word;
	int number;
	u8 byte;
	bool flag;

	EXPECT(!kstrtoint("-0x10\n", 0, &number) && number == -16);
	EXPECT(kstrtouint("-1", 0, &word) == -EINVAL && kstrtou8("256", 10, &byte) == -ERANGE);
	EXPECT(!kstrtouint("017", 0, &word) && word == 15);
	EXPECT(!kstrtobool("off", &flag) && !flag && kstrtobool("maybe", &flag) == -EINVAL);
	return 0;
}

static int __init library_init(void)
{
	pr_info("library: memory %d, pages %d, strings %d, numbers %d\n", memory(), pages(), strings(),
		numbers());
	return 0;
}
module_init(library_init);

MODULE_DESCRIPTION("What the kernel exports for memory and text");
MODULE_LICENSE("GPL");
