/* SPDX-License-Identifier: GPL-2.0-only */
/* Of kernel headers that the SDK does not have: what inlines of a kernel's call. */
#pragma once

#include <linux/types.h>

struct rb_node {
	unsigned long parent; /* low bits: the kernel's */
	struct rb_node *right;
	struct rb_node *left;
};
struct rb_root {
	struct rb_node *top;
};
void rb_insert_color(struct rb_node *node, struct rb_root *root);
void rb_erase(struct rb_node *node, struct rb_root *root);
struct rb_node *rb_first(const struct rb_root *root);
struct rb_node *rb_last(const struct rb_root *root);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_prev(const struct rb_node *node);

typedef struct {
	u32 count;
	u32 wait_lock;
} rwlock_t;
void _raw_read_lock(rwlock_t *lock);
void _raw_read_unlock(rwlock_t *lock);
unsigned long _raw_write_lock_irqsave(rwlock_t *lock);
void _raw_write_unlock_irqrestore(rwlock_t *lock, unsigned long flags);
int _raw_write_trylock(rwlock_t *lock);
int _raw_read_trylock(rwlock_t *lock);

struct rw_semaphore {
	u64 words[8];
};
void down_read(struct rw_semaphore *semaphore);
void up_read(struct rw_semaphore *semaphore);
int down_read_trylock(struct rw_semaphore *semaphore);
void down_write(struct rw_semaphore *semaphore);
int down_write_trylock(struct rw_semaphore *semaphore);
void downgrade_write(struct rw_semaphore *semaphore);

struct semaphore {
	u32 lock;
	u32 count;
	struct list_head waiters;
};
void down(struct semaphore *semaphore);
int down_trylock(struct semaphore *semaphore);
void up(struct semaphore *semaphore);

struct ratelimit_state {
	u32 lock;
	int interval;
	int burst;
	int printed;
	int missed;
	u32 flags;
	unsigned long begin;
};
int ___ratelimit(struct ratelimit_state *limit, const char *function);

void refcount_warn_saturate(u32 *count, unsigned int kind);
void get_random_bytes(void *to, size_t size);
u32 get_random_u32(void);
unsigned long long simple_strtoull(const char *text, char **end, unsigned int base);
long simple_strtol(const char *text, char **end, unsigned int base);
char *bin2hex(char *to, const void *from, size_t count);
int hex2bin(u8 *to, const char *text, size_t count);
int sysfs_emit(char *page, const char *format, ...);
int sysfs_emit_at(char *page, int at, const char *format, ...);
bool sysfs_streq(const char *a, const char *b);
int match_string(const char *const *texts, size_t count, const char *wanted);
unsigned long __msecs_to_jiffies(unsigned int milliseconds);
void *vmap(struct page **pages, unsigned int count, unsigned long flags, u64 protection);
void vunmap(const void *address);
int param_set_int(const char *value, const struct kernel_param *param);
int param_get_int(char *buffer, const struct kernel_param *param);
long copy_from_kernel_nofault(void *to, const void *from, size_t size);
