/* SPDX-License-Identifier: MIT */
/*
 * What one hardware configuration is built from. Code asks these numbers and never a name, so
 * that another member of the family is another entry in config.c.
 */
#ifndef NPU_MODEL_CONFIG_H
#define NPU_MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct npu_costs - cycles of the cost model
 *
 * Read off the RTL of nv_small with a memory that answers after 32 cycles and moves one atom a
 * cycle. timing.c says how they are put together.
 */
struct npu_costs {
	double weight_start;   /* CDMA enabled to first weight request */
	double data_start;     /* ... to first feature request */
	double weight_visible; /* last request of a kernel group to CSC may use it */
	double data_visible;   /* last request of the features to CSC may use them */
	double weight_done;    /* last request of the weights to CDMA is done with them */
	double data_done;      /* the same for the features */
	double atom_alone;     /* an atom of weights when the features are idle */
	double data_alone;     /* an atom of features when the weights are idle */
	double slice;	       /* fetch overhead of the features a slice */
	double cdma_restart;   /* CDMA done to the start of its next op */
	double csc_enable;     /* CSC enabled to data already in the CBUF is usable */
	double csc_start;      /* usable to the first stripe */
	double csc_restart;    /* end of an op's last stripe to the first stripe of the next */
	double pend;	       /* CSC done to CDMA has flushed the CBUF for other banks */
	double weight_release; /* kernel group done to CDMA may refill its entries */
	double data_release;   /* op done in CSC to CDMA may refill its features */
	double mac_to_drain;   /* stripe started to its first result drains */
	double drain;	       /* one position of a kernel group from CACC through SDP */
	double credit;	       /* drained to CSC may count on the place */
	double sdp_tail;       /* CACC done to SDP done */
};

struct npu_config {
	const char *name;
	uint64_t address_mask; /* bits of a bus address */
	uint32_t atom_bytes;   /* channels of one memory atom; also mac_kernels */
	uint32_t mac_channels; /* channels a MAC cell takes a cycle */
	uint32_t mac_kernels;  /* kernels the array computes at a time */
	uint32_t cbuf_banks;
	uint32_t bank_entries;
	uint32_t entry_bytes;  /* also mac_channels */
	bool wide_sdp;	       /* SDP moves half an atom a cycle, not one element */
	uint32_t stripe;       /* positions of a full stripe; also results CACC can hold */
	uint32_t flush_cycles; /* clearing the CBUF after reset */
	uint32_t hw_version;   /* GLB */
	uint32_t rom_version;  /* CFGROM */
	uint32_t interrupts;   /* bits of GLB that are there; without BDMA and RUBIK, not 6 to 9 */
	bool clock_gating;     /* CDMA has no clock when it has no op: the erratum in timing.c */
	struct npu_costs costs;
};

/*
 * Fills in @cfg for @name: that of a configuration, with "+gated" behind it for a build with clock
 * gating. Returns 0, or -1 for a name that is not known.
 */
int npu_config_parse(struct npu_config *cfg, const char *name);

#endif /* NPU_MODEL_CONFIG_H */
