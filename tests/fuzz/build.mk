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

# ---- Targets: of libFuzzer if FUZZ is set, of replay.c otherwise ----

FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_TARGETS := $(addprefix $(B)/tests/fuzz/fuzz_, validate engine packed weights codebook \
	observer npy safetensors gguf network float operand idx model)
fuzz = $(addprefix $(B)/tests/fuzz/fuzz_, $(1))

ifdef FUZZ
FUZZ_MAIN := -fsanitize=fuzzer
else
FUZZ_MAIN := $(B)/tests/fuzz/replay.o
$(FUZZ_TARGETS): $(FUZZ_MAIN)
endif

$(FUZZ_TARGETS): %: %.o
	@echo "  LD      $@"
	$(CC) $(if $(FUZZ),$(FUZZ_MAIN)) -o $@ $(filter %.o %.a,$^) $(LDFLAGS_ALL) $(LDLIBS_FUZZ)

# Jobs.
$(call fuzz, validate engine): $(B)/tests/fuzz/fuzz.o $(FUZZ_COMMON)
$(call fuzz, engine): $(FUZZ_ORACLE)

# What else strangers send: packed weights, observers, and files.
$(call fuzz, packed weights codebook observer network float idx model operand): \
	$(B)/tests/fuzz/image.o
$(call fuzz, packed): $(B)/kmod/nvdla/nvdla_limits.o
$(call fuzz, idx): $(addprefix $(B)/examples/, fashion-mnist/idx.o perceptron/error.o)
$(call fuzz, model): $(addprefix $(B)/examples/perceptron/, model.o error.o)
$(call fuzz, operand): $(addprefix $(B)/tools/npu-run/, npy.o network/samples.o error.o)
$(call fuzz, network float): $(addprefix $(B)/tests/, fuzz/sheet.o unit/file_rig.o) $(NETWORK_OBJS) \
	$(addprefix $(B)/tools/npu-run/, save.o error.o)
TENSOR_RIG := $(addprefix $(B)/tests/, fuzz/tensors.o fuzz/tensor_seeds.o unit/file_rig.o)
$(call fuzz, npy safetensors gguf): $(TENSOR_RIG)
$(filter-out $(call fuzz, validate engine), $(FUZZ_TARGETS)): $(LIBNPU_A)
$(filter-out $(call fuzz, validate engine), $(FUZZ_TARGETS)): LDLIBS_FUZZ = $(LIBNPU_LIBS) -lz

# Files of tensors begin with a corpus of their own.
TENSOR_CORPUS := $(B)/tests/fuzz/tensor_corpus

$(TENSOR_CORPUS): %: %.o $(TENSOR_RIG) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS)

# The fuzzer is led by what decides about inputs. In what merely computes it would count every
# number.
ifdef FUZZ
$(FUZZ_TARGETS:%=%.o) $(addprefix $(B)/, kmod/npu_validate.o kmod/nvdla/nvdla_conv.o \
	tools/npu-run/npy.o) \
$(addprefix $(B)/libnpu/, packed.o weights_file.o weight_source.o backend/nvdla_weights.o \
	backend/cpu_weights.o quant/observer_image.o quant/codebook.o) \
$(addprefix $(B)/libnpu/file/, file.o npy.o safetensors.o notes.o json.o gguf.o) \
$(addprefix $(B)/tools/npu-run/network/, quant_load.o quant_network.o technique.o device_layer.o \
	float_network.o learnt.o samples.o) \
$(addprefix $(B)/examples/, fashion-mnist/idx.o perceptron/model.o) \
$(addprefix $(B)/tools/board/model/, cbuf.o op.o timing.o): CFLAGS_ALL += -fsanitize=fuzzer-no-link
endif

.PHONY: fuzz fuzz-targets check-corpus
fuzz-targets: $(FUZZ_TARGETS) $(TENSOR_CORPUS)

# Each target runs for FUZZ_SECONDS of processor time; see run.sh. FUZZ_ONLY="npy gguf": only these.
# What a target of jobs finds fault with it prints as a new seed.
FUZZ_ONLY ?= $(patsubst fuzz_%,%,$(notdir $(FUZZ_TARGETS)))
fuzz:
	$(MAKE) O=$(O)/fuzz CC=$(FUZZ_CC) SAN=1 FUZZ=1 fuzz-targets
	programs=$(O)/fuzz/$$($(FUZZ_CC) -dumpmachine)-san/tests/fuzz && \
	$$programs/tensor_corpus $(O)/fuzz && \
	tests/fuzz/run.sh $(O)/fuzz $$programs $(FUZZ_SECONDS) $(FUZZ_ONLY)

# What the fuzzer has found worth keeping, without a fuzzer.
check-corpus: $(FUZZ_TARGETS)
	for target in $(notdir $(FUZZ_TARGETS)); do \
		$(B)/tests/fuzz/$$target tests/fuzz/corpus/$${target#fuzz_} || exit; \
	done

# ---- the whole kernel interface, in the debug kernel ----

FUZZ_IOCTL := $(B)/tests/fuzz/calls/fuzz_ioctl
FUZZ_IOCTL_OBJECTS := $(addprefix $(B)/tests/fuzz/calls/, fuzz_ioctl.o calls.o call_buffer.o \
	call_submit.o call_sync.o world.o input.o corpus.o cover.o) $(B)/tests/device/user.o

$(FUZZ_IOCTL): $(FUZZ_IOCTL_OBJECTS)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(DRM_LIBS)
