// SPDX-License-Identifier: MIT
/*
 * oneDNN's matmul with weights in the layout it prefers. Its interface changed between versions 2
 * (Debian 12) and 3 (Debian 13).
 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

#include <dnnl.h>

#include "contender.h"

#if DNNL_VERSION_MAJOR < 3
typedef dnnl_memory_desc_t desc;
typedef const dnnl_memory_desc_t *desc_ref;
#define REF(md) (&(md))
#else
typedef dnnl_memory_desc_t desc;
typedef const_dnnl_memory_desc_t desc_ref;
#define REF(md) (md)
#endif

struct onednn {
	unsigned int threads;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_primitive_t matmul;
	dnnl_memory_t a, w, c, scale;
	void *packed;
	void *result;
	float factor;
};

static void ok(dnnl_status_t status, const char *what)
{
	must(status == dnnl_success, what);
}

static void describe(char *text, size_t size)
{
	static const struct {
		int isa;
		const char *name;
	} names[] = {
		{ dnnl_cpu_isa_sse41, "SSE4.1" },
		{ dnnl_cpu_isa_avx, "AVX" },
		{ dnnl_cpu_isa_avx2, "AVX2" },
		{ dnnl_cpu_isa_avx2_vnni, "AVX2 VNNI" },
		{ dnnl_cpu_isa_avx512_core, "AVX-512" },
		{ dnnl_cpu_isa_avx512_core_vnni, "AVX-512 VNNI" },
		{ dnnl_cpu_isa_avx512_core_bf16, "AVX-512 VNNI BF16" },
		{ dnnl_cpu_isa_avx512_core_amx, "AMX" },
	};
	const dnnl_version_t *version = dnnl_version();
	const int isa = dnnl_get_effective_cpu_isa();
	const char *name = "unknown instructions";

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].isa == isa)
			name = names[i].name;
	snprintf(text, size, "oneDNN %d.%d.%d, %s (0x%x)", version->major, version->minor,
		 version->patch, name, (unsigned int)isa);
}

static desc describe_matrix(uint32_t rows, uint32_t cols, dnnl_data_type_t type,
			    dnnl_format_tag_t tag)
{
	const dnnl_dims_t dims = { rows, cols };
	desc md;

#if DNNL_VERSION_MAJOR < 3
	ok(dnnl_memory_desc_init_by_tag(&md, 2, dims, type, tag), "oneDNN: memory descriptor");
#else
	ok(dnnl_memory_desc_create_with_tag(&md, 2, dims, type, tag), "oneDNN: memory descriptor");
#endif
	return md;
}

static size_t bytes_of(desc_ref md)
{
	return dnnl_memory_desc_get_size(md);
}

/* One scale for all. Halves go to even. */
static dnnl_primitive_attr_t make_attr(const struct onednn *self, enum result result)
{
	dnnl_primitive_attr_t attr;

	ok(dnnl_primitive_attr_create(&attr), "oneDNN: attributes");
	if (result == RESULT_SUMS)
		return attr;
#if DNNL_VERSION_MAJOR < 3
	ok(dnnl_primitive_attr_set_output_scales(attr, 1, 0, &self->factor), "oneDNN: scale");
#else
	(void)self;
	ok(dnnl_primitive_attr_set_scales_mask(attr, DNNL_ARG_WEIGHTS, 0), "oneDNN: scale");
#endif
	return attr;
}

static dnnl_primitive_desc_t make_matmul(const struct onednn *self, const struct problem *p)
{
	desc a = describe_matrix(p->m, p->k, dnnl_s8, dnnl_ab);
	desc w = describe_matrix(p->k, p->n, dnnl_s8, dnnl_format_tag_any);
	desc c =
		describe_matrix(p->m, p->n, p->result == RESULT_SUMS ? dnnl_s32 : dnnl_s8, dnnl_ab);
	dnnl_primitive_attr_t attr = make_attr(self, p->result);
	dnnl_primitive_desc_t pd;

#if DNNL_VERSION_MAJOR < 3
	dnnl_matmul_desc_t md;

	ok(dnnl_matmul_desc_init(&md, &a, &w, NULL, &c), "oneDNN: matmul");
	ok(dnnl_primitive_desc_create(&pd, &md, attr, self->engine, NULL), "oneDNN: matmul");
#else
	ok(dnnl_matmul_primitive_desc_create(&pd, self->engine, a, w, NULL, c, attr),
	   "oneDNN: matmul");
	dnnl_memory_desc_destroy(a);
	dnnl_memory_desc_destroy(w);
	dnnl_memory_desc_destroy(c);
#endif
	dnnl_primitive_attr_destroy(attr);
	return pd;
}

static dnnl_memory_t make_memory(const struct onednn *self, desc_ref md, const void *data)
{
	dnnl_memory_t memory;

	ok(dnnl_memory_create(&memory, md, self->engine, (void *)data), "oneDNN: memory");
	return memory;
}

/* W lies row-major as N x K, which is K x N column-major. */
static void pack(struct onednn *self, const struct problem *p, desc_ref packed)
{
	desc md = describe_matrix(p->k, p->n, dnnl_s8, dnnl_ba);
	dnnl_memory_t plain = make_memory(self, REF(md), p->w);
	dnnl_primitive_desc_t pd;
	dnnl_primitive_t reorder;

	self->packed = big_alloc(bytes_of(packed));
	self->w = make_memory(self, packed, self->packed);
	ok(dnnl_reorder_primitive_desc_create(&pd, REF(md), self->engine, packed, self->engine,
					      NULL),
	   "oneDNN: reorder");
	ok(dnnl_primitive_create(&reorder, pd), "oneDNN: reorder");
	ok(dnnl_primitive_execute(
		   reorder, self->stream, 2,
		   (dnnl_exec_arg_t[]){ { DNNL_ARG_FROM, plain }, { DNNL_ARG_TO, self->w } }),
	   "oneDNN: reorder");
	ok(dnnl_stream_wait(self->stream), "oneDNN: reorder");
	dnnl_primitive_destroy(reorder);
	dnnl_primitive_desc_destroy(pd);
	dnnl_memory_destroy(plain);
#if DNNL_VERSION_MAJOR >= 3
	dnnl_memory_desc_destroy(md);
#endif
}

static void make_scale(struct onednn *self)
{
#if DNNL_VERSION_MAJOR >= 3
	const dnnl_dims_t one = { 1 };
	dnnl_memory_desc_t md;

	ok(dnnl_memory_desc_create_with_tag(&md, 1, one, dnnl_f32, dnnl_a), "oneDNN: scale");
	self->scale = make_memory(self, md, &self->factor);
	dnnl_memory_desc_destroy(md);
#else
	self->scale = NULL;
#endif
}

static void *create(const struct problem *p)
{
	struct onednn *self = calloc(1, sizeof(*self));
	dnnl_primitive_desc_t pd;

	must(self, "oneDNN: no memory");
	self->threads = p->threads;
	omp_set_num_threads((int)p->threads);
	self->factor = 1.0f / (float)(1u << p->shift);
	ok(dnnl_engine_create(&self->engine, dnnl_cpu, 0), "oneDNN: engine");
	ok(dnnl_stream_create(&self->stream, self->engine, dnnl_stream_default_flags),
	   "oneDNN: stream");
	pd = make_matmul(self, p);
	pack(self, p, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0));
	self->result = big_alloc((size_t)p->m * p->n * sizeof(int32_t));
	self->a = make_memory(self, dnnl_primitive_desc_query_md(pd, dnnl_query_src_md, 0), p->a);
	self->c = make_memory(self, dnnl_primitive_desc_query_md(pd, dnnl_query_dst_md, 0),
			      self->result);
	make_scale(self);
	ok(dnnl_primitive_create(&self->matmul, pd), "oneDNN: matmul");
	dnnl_primitive_desc_destroy(pd);
	return self;
}

static void run(void *ctx)
{
	struct onednn *self = ctx;
	const dnnl_exec_arg_t args[] = {
		{ DNNL_ARG_SRC, self->a },
		{ DNNL_ARG_WEIGHTS, self->w },
		{ DNNL_ARG_DST, self->c },
#if DNNL_VERSION_MAJOR >= 3
		{ DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, self->scale },
#endif
	};

	omp_set_num_threads((int)self->threads);
	ok(dnnl_primitive_execute(self->matmul, self->stream, sizeof(args) / sizeof(*args), args),
	   "oneDNN: run");
	ok(dnnl_stream_wait(self->stream), "oneDNN: run");
}

static const void *output(const void *ctx)
{
	return ((const struct onednn *)ctx)->result;
}

static void destroy(void *ctx)
{
	struct onednn *self = ctx;

	dnnl_primitive_destroy(self->matmul);
	dnnl_memory_destroy(self->a);
	dnnl_memory_destroy(self->w);
	dnnl_memory_destroy(self->c);
	if (self->scale)
		dnnl_memory_destroy(self->scale);
	dnnl_stream_destroy(self->stream);
	dnnl_engine_destroy(self->engine);
	free(self->packed);
	free(self->result);
	free(self);
}

const struct contender contender_onednn = {
	.name = "oneDNN",
	.describe = describe,
	.create = create,
	.run = run,
	.output = output,
	.destroy = destroy,
};
