# SPDX-License-Identifier: MIT
#
# The validator against the engine: the driver's register programming on the device model, over all
# small jobs and at random. README.md says what is proved.

# nvdla_conv.c as it is in the kernel, with as much of a kernel around it as it needs.
$(B)/kmod/nvdla/nvdla_conv.o $(B)/tests/fuzz/driver.o: \
	CPPFLAGS_ALL += -Itests/fuzz/kernel -Ikmod $(DRM_CFLAGS)

FUZZ_COMMON := $(addprefix $(B)/, tests/fuzz/jobs.o tests/fuzz/seeds.o tests/fuzz/promise.o \
	kmod/npu_validate.o kmod/nvdla/nvdla_limits.o)
FUZZ_ORACLE := $(addprefix $(B)/, tests/fuzz/oracle.o tests/fuzz/driver.o kmod/nvdla/nvdla_conv.o \
	tests/reference.o) $(MODEL_OBJECTS)

FUZZ_UNIT_TESTS := $(addprefix $(B)/tests/unit/, test_oracle test_fuzz)
UNIT_TESTS += $(FUZZ_UNIT_TESTS)
$(FUZZ_UNIT_TESTS): $(FUZZ_COMMON) $(FUZZ_ORACLE)

# ---- libFuzzer: needs clang and its run-time library (Debian: clang, libclang-rt-dev) ----

FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_TARGETS := $(addprefix $(B)/tests/fuzz/, fuzz_validate fuzz_engine)

$(FUZZ_TARGETS): $(B)/%: $(B)/%.o $(B)/tests/fuzz/fuzz.o $(FUZZ_COMMON)
	@echo "  LD      $@"
	$(CC) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(LDFLAGS_ALL)

$(B)/tests/fuzz/fuzz_engine: $(FUZZ_ORACLE)

# The other thing that strangers send: packed weights.
FUZZ_PACKED := $(B)/tests/fuzz/fuzz_packed

$(FUZZ_PACKED): %: %.o $(B)/kmod/nvdla/nvdla_limits.o $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -fsanitize=fuzzer -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS)

# And files of tensors, which begin with a corpus of their own.
FUZZ_TENSORS := $(addprefix $(B)/tests/fuzz/, fuzz_npy fuzz_safetensors fuzz_gguf)
TENSOR_CORPUS := $(B)/tests/fuzz/tensor_corpus
TENSOR_RIG := $(addprefix $(B)/tests/, fuzz/tensors.o fuzz/tensor_seeds.o unit/file_rig.o)

$(FUZZ_TENSORS): %: %.o $(TENSOR_RIG) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -fsanitize=fuzzer -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS)

$(TENSOR_CORPUS): %: %.o $(TENSOR_RIG) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS)

# The fuzzer is led by what decides about jobs. In what merely computes it would count every number.
ifdef FUZZ
$(addsuffix .o, $(FUZZ_TARGETS)) $(addprefix $(B)/, kmod/npu_validate.o kmod/nvdla/nvdla_conv.o) \
$(addprefix $(B)/libnpu/, packed.o backend/nvdla_weights.o) \
$(addprefix $(B)/libnpu/file/, file.o npy.o safetensors.o notes.o json.o gguf.o) \
$(addprefix $(B)/tools/board/model/, cbuf.o op.o timing.o): CFLAGS_ALL += -fsanitize=fuzzer-no-link
endif

.PHONY: fuzz fuzz-targets
fuzz-targets: $(FUZZ_TARGETS) $(FUZZ_PACKED) $(FUZZ_TENSORS) $(TENSOR_CORPUS)

# Each target runs for FUZZ_SECONDS. What a target finds fault with it prints as a new seed.
fuzz:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CC) SAN=1 FUZZ=1 fuzz-targets
	for target in fuzz_validate fuzz_engine fuzz_packed; do \
		$(O)/fuzz/$$($(FUZZ_CC) -dumpmachine)-san/tests/fuzz/$$target \
			-max_total_time=$(FUZZ_SECONDS) -max_len=2048 -verbosity=0 \
			-artifact_prefix=$(O)/fuzz/ || exit; \
	done
	$(O)/fuzz/$$($(FUZZ_CC) -dumpmachine)-san/tests/fuzz/tensor_corpus $(O)/fuzz
	for target in fuzz_npy fuzz_safetensors fuzz_gguf; do \
		$(O)/fuzz/$$($(FUZZ_CC) -dumpmachine)-san/tests/fuzz/$$target \
			-max_total_time=$(FUZZ_SECONDS) -max_len=8192 -verbosity=0 \
			-artifact_prefix=$(O)/fuzz/ $(O)/fuzz/$$target || exit; \
	done
