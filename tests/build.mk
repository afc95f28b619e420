# SPDX-License-Identifier: MIT
#
# UNIT_TESTS run on the build machine, with sanitizers (make check-unit). DEVICE_TESTS run where an
# NPU is: in the virtual board (make check-device) or on real hardware, started by hand.
# COMPAT_TESTS are those that run there once more as programs for 32 bits, on the 64-bit kernel.

UNIT_TESTS :=
DEVICE_TESTS :=

CPPFLAGS_tests = $(DRM_CFLAGS)

# A test is linked from its own object, what it names here as prerequisites, and LIBS_<test>.
$(B)/tests/unit/% $(B)/tests/device/%: LDLIBS_TEST = $(LIBS_$(@F)) $(CMOCKA_LIBS)

# ---- device model ----

MODEL_UNIT_TESTS := $(addprefix $(B)/tests/unit/, test_model_vectors test_model_regs test_model_ops \
	test_model_cbuf test_model_sdp test_model_timing test_model_perf test_model_fault \
	test_model_fuzz test_model_erratum)
UNIT_TESTS += $(MODEL_UNIT_TESTS)

$(MODEL_UNIT_TESTS): $(B)/tests/unit/test_model_rig.o $(MODEL_OBJECTS)
$(B)/tests/unit/test_model_vectors: $(addprefix $(RECORD)/, replay.o vector.o image.o)
$(B)/tests/unit/test_model_ops $(B)/tests/unit/test_model_cbuf \
	$(B)/tests/unit/test_model_erratum: $(B)/tests/unit/test_model_exact.o

RECORD_UNIT_TESTS := $(B)/tests/unit/test_record
UNIT_TESTS += $(RECORD_UNIT_TESTS)

$(RECORD_UNIT_TESTS): $(B)/tests/unit/test_model_rig.o $(RECORDER_OBJECTS) \
	$(addprefix $(RECORD)/, replay.o vector.o) | $(MODEL_LIBRARY)

# A second model, to show that the board takes any.
TINY_MODEL := $(B)/tests/tiny-model.so

$(TINY_MODEL): $(B)/tests/board/tiny_model.o
	@echo "  LD      $@"
	$(CC) -shared -o $@ $< $(LDFLAGS_ALL)

# A third one, which recordings must not take for the real one.
BROKEN_MODEL := $(B)/tests/broken-model.so

$(BROKEN_MODEL): $(B)/tests/board/broken_model.o $(filter-out %/npu_model.o,$(MODEL_OBJECTS))
	@echo "  LD      $@"
	$(CC) -shared -Wl,--version-script=tools/board/model/npu_model.map -o $@ $^ $(LDFLAGS_ALL)

# ---- validator against the engine ----

include tests/fuzz/build.mk
include tests/load/build.mk

# ---- kernel driver ----

KMOD_UNIT_TESTS := $(addprefix $(B)/tests/unit/, test_uapi test_validate)
KMOD_DEVICE_TESTS := $(addprefix $(B)/tests/device/, test_ioctl test_submit test_reuse \
	test_process test_isolation test_fairness test_perfmon test_prime test_file test_quota \
	test_trace test_debugfs test_recovery test_faults test_power test_serial test_injection \
	test_probe test_unplug test_several test_region test_module)
UNIT_TESTS += $(KMOD_UNIT_TESTS)
DEVICE_TESTS += $(KMOD_DEVICE_TESTS)

$(B)/tests/unit/test_validate: $(B)/kmod/npu_validate.o $(B)/kmod/nvdla/nvdla_limits.o
$(KMOD_DEVICE_TESTS): $(B)/tests/device/drm_node.o $(B)/tests/reference.o
$(addprefix $(B)/tests/device/, test_reuse test_perfmon test_prime test_trace test_debugfs \
	test_recovery test_faults test_power test_several): $(B)/tests/device/board_control.o
$(addprefix $(B)/tests/device/, \
	test_faults test_power test_quota test_injection test_probe test_unplug test_several \
	test_region test_module): $(B)/tests/device/driver.o
$(addprefix $(B)/tests/device/, test_injection test_probe): $(B)/tests/device/injection.o
$(addprefix $(B)/tests/device/, test_fairness test_prime test_quota test_sharing test_submit \
	test_unplug): $(B)/tests/device/vgem.o
$(addprefix $(B)/tests/device/, test_injection test_libnpu test_quota test_several): \
	$(B)/tests/device/user.o
$(foreach t,$(KMOD_DEVICE_TESTS),$(eval LIBS_$(notdir $t) := $(DRM_LIBS)))

# ---- libnpu ----

FAKE_NPU_TESTS := $(addprefix $(B)/tests/unit/, \
	test_query test_nvdla test_nvdla_async test_nvdla_types test_output test_arena \
	test_weights_file test_weights_share test_failing_npu)
LIBNPU_UNIT_TESTS := $(addprefix $(B)/tests/unit/, \
	test_layout test_plan test_division test_cost test_requant test_gemm test_fixed16 test_matmul_cpu \
	test_libnpu_api test_libnpu_queue test_libnpu_async test_libnpu_backlog test_libnpu_share \
	test_checksum test_node test_abi test_quant_uniform test_quant_fixed test_quant_dynamic \
	test_quant_observer test_quant_codebook test_file test_file_refused \
	test_safetensors_write test_failing_cpu test_failing_host) \
	$(FAKE_NPU_TESTS)
# Those that are also run with other instructions than this machine's (make check-neon).
CPU_UNIT_TESTS := $(addprefix $(B)/tests/unit/, test_gemm test_fixed16 test_matmul_cpu)
LIBNPU_DEVICE_TESTS := $(addprefix $(B)/tests/device/, test_matmul test_libnpu test_queue \
	test_async test_sharing)
LIBNPU_TESTS := $(LIBNPU_UNIT_TESTS) $(LIBNPU_DEVICE_TESTS)
UNIT_TESTS += $(LIBNPU_UNIT_TESTS)
DEVICE_TESTS += $(LIBNPU_DEVICE_TESTS)

$(LIBNPU_TESTS): $(B)/tests/matmul_case.o $(LIBNPU_A)
$(addprefix $(B)/tests/unit/, test_plan test_division test_cost): $(B)/kmod/nvdla/nvdla_limits.o
$(B)/tests/unit/test_cost: $(B)/tests/unit/test_model_rig.o $(MODEL_OBJECTS)
$(addprefix $(B)/tests/, unit/test_matmul_cpu unit/test_nvdla_types device/test_matmul): \
	$(B)/tests/matmul_trial.o $(B)/tests/trial_submit.o \
	$(addprefix $(B)/tools/npu-run/, trial.o reference.o multiply.o error.o)
$(foreach t,$(LIBNPU_TESTS),$(eval LIBS_$(notdir $t) := $(LIBNPU_LIBS)))
$(addprefix $(B)/tests/device/, test_libnpu test_queue test_async \
	test_sharing): $(B)/tests/device/workbench.o
$(addprefix $(B)/tests/device/, test_queue test_async): $(B)/tests/device/board_control.o
COUNTING_TESTS := $(addprefix $(B)/tests/, unit/test_libnpu_queue unit/test_libnpu_backlog \
	unit/test_nvdla_async unit/test_matmul_cpu unit/test_nvdla_types device/test_queue \
	device/test_async device/test_matmul)
COUNTED := malloc calloc realloc aligned_alloc
$(COUNTING_TESTS): $(B)/tests/allocations.o
$(foreach t,$(COUNTING_TESTS),$(eval LIBS_$(notdir $t) += $(COUNTED:%=-Wl,--wrap=%)))

# The system calls that tests/unit/fake_npu.c and fake_syncobj.c answer.
FAKE_NPU_WRAP := npu_node_open ioctl drmGetCap drmSyncobjCreate drmSyncobjDestroy drmSyncobjWait \
	drmSyncobjExportSyncFile drmSyncobjImportSyncFile poll
$(FAKE_NPU_TESTS): $(addprefix $(B)/, tests/unit/fake_npu.o tests/unit/fake_syncobj.o \
	tests/unit/fake_fence.o tests/reference.o kmod/npu_validate.o kmod/nvdla/nvdla_limits.o)
$(foreach t,$(FAKE_NPU_TESTS),$(eval LIBS_$(notdir $t) += $(FAKE_NPU_WRAP:%=-Wl,--wrap=%)))

# What tests/unit/failing.c and failing_calls.c make fail.
FAILING_MEMORY_WRAP := malloc calloc realloc reallocarray aligned_alloc strdup strndup asprintf
FAILING_CALLS_WRAP := mmap64 memfd_create ftruncate64 fstat64 stat64 lseek64 read write fsync \
	rename getrandom open64 fcntl64 pthread_create
FAILING_TESTS := $(addprefix $(B)/tests/unit/, test_failing_cpu test_failing_npu test_failing_host \
	test_failing_network)
$(FAILING_TESTS): $(addprefix $(B)/tests/unit/, failing.o fake_fence.o)
$(foreach t,$(FAILING_TESTS),$(eval LIBS_$(notdir $t) += $(FAILING_MEMORY_WRAP:%=-Wl,--wrap=%)))
$(addprefix $(B)/tests/unit/, test_failing_cpu test_failing_npu): $(B)/tests/unit/life.o
$(B)/tests/unit/test_failing_host: $(addprefix $(B)/tests/, unit/file_rig.o fuzz/tensor_seeds.o)
$(addprefix $(B)/tests/unit/, test_failing_cpu test_failing_host \
	test_failing_network): $(B)/tests/unit/failing_calls.o
LIBS_test_failing_cpu += $(FAILING_CALLS_WRAP:%=-Wl,--wrap=%)
LIBS_test_failing_host += $(FAILING_CALLS_WRAP:%=-Wl,--wrap=%)
LIBS_test_failing_network += $(FAILING_CALLS_WRAP:%=-Wl,--wrap=%)

$(addprefix $(B)/tests/unit/, test_libnpu_queue test_libnpu_async test_libnpu_backlog \
	test_libnpu_share test_nvdla_async): $(B)/tests/unit/chain.o
$(addprefix $(B)/tests/unit/, test_libnpu_api test_libnpu_queue test_libnpu_async \
	test_libnpu_backlog test_libnpu_share): $(B)/tests/unit/cpu_rig.o

# The CPU's queues wait for the sync_files of tests/unit/fake_fence.c.
$(addprefix $(B)/tests/unit/, test_libnpu_async test_libnpu_backlog test_libnpu_share): \
	$(addprefix $(B)/tests/unit/, fake_fence.o fence_ioctl.o)
LIBS_test_libnpu_async += -Wl,--wrap=ioctl
LIBS_test_libnpu_backlog += -Wl,--wrap=ioctl
LIBS_test_libnpu_share += -Wl,--wrap=ioctl -Wl,--wrap=mmap64 -Wl,--wrap=memfd_create

# A machine with more processors than there are.
LIBS_test_libnpu_api += -Wl,--wrap=sched_getaffinity

$(addprefix $(B)/tests/unit/, test_weights_file test_weights_share): $(B)/tests/unit/weights_rig.o

# Nodes that nobody may open, whoever runs the test.
$(B)/tests/unit/test_node: $(B)/tests/unit/fake_root.o
LIBS_test_node += -Wl,--wrap=open64 -Wl,--wrap=stat64

TUNE_UNIT_TESTS := $(addprefix $(B)/tests/unit/, test_tune_round test_tune_outliers \
	test_tune_qat test_tune_precision test_tune_follower test_eval \
	test_clipping)
UNIT_TESTS += $(TUNE_UNIT_TESTS)

$(TUNE_UNIT_TESTS): $(B)/tests/unit/tune_rig.o $(B)/tests/matmul_case.o $(LIBNPU_A)
$(foreach t,$(TUNE_UNIT_TESTS),$(eval LIBS_$(notdir $t) := $(LIBNPU_LIBS)))
$(addprefix $(B)/tests/unit/, test_file test_file_refused test_safetensors_write): \
	$(B)/tests/unit/file_rig.o
$(B)/tests/unit/test_file_refused: $(addprefix $(B)/tests/fuzz/, tensors.o tensor_seeds.o)

include tests/bench/build.mk

# ---- debug kernel ----

include tests/debug/build.mk

# ---- npu-run and examples ----

UNIT_TESTS += $(addprefix $(B)/tests/unit/, test_npy test_plot test_plot_svg test_idx \
	test_perceptron test_diagnosis test_bench test_selftest test_top test_chrome_trace \
	test_cdi)

$(B)/tests/unit/test_npy: $(addprefix $(B)/tools/npu-run/, npy.o npy_write.o save.o error.o) $(LIBNPU_A)
LIBS_test_npy := $(LIBNPU_LIBS)
$(addprefix $(B)/tests/unit/, test_plot test_plot_svg): $(addprefix $(B)/tools/npu-run/, \
	plot_axis.o plot_text.o plot_svg.o save.o error.o)
LIBS_test_plot := -lm -lutil
LIBS_test_plot_svg := -lm
$(B)/tests/unit/test_diagnosis: $(B)/tests/unit/fake_root.o \
	$(addprefix $(B)/tools/npu-run/, diagnosis.o hardware.o sysfs.o)
$(B)/tests/unit/test_bench: $(B)/tests/unit/fake_root.o $(addprefix $(B)/tools/npu-run/, bench.o \
	conditions.o distribution.o interrupt.o sysfs.o json.o error.o) $(LIBNPU_A)
LIBS_test_bench := $(LIBNPU_LIBS)
$(B)/tests/unit/test_selftest: $(addprefix $(B)/tools/npu-run/, cmd_selftest.o faults.o trial.o \
	reference.o multiply.o device.o options.o interrupt.o json.o error.o) $(LIBNPU_A)
LIBS_test_selftest := -Wl,--wrap=multiply $(LIBNPU_LIBS)
$(B)/tests/unit/test_top: $(B)/tests/unit/fake_root.o \
	$(addprefix $(B)/tools/npu-run/, fdinfo.o usage.o sysfs.o)
$(B)/tests/unit/test_chrome_trace: $(addprefix $(B)/tools/npu-run/, \
	chrome_trace.o trace_event.o json.o)
LIBS_test_chrome_trace := -lm
$(B)/tests/unit/test_cdi: $(addprefix $(B)/tools/npu-run/, cdi.o json.o)
LIBS_test_cdi := -lm
$(B)/tests/unit/test_idx: $(FASHION_DATA_OBJS) $(B)/examples/perceptron/error.o
LIBS_test_idx := -lz
$(B)/tests/unit/test_perceptron: $(addprefix $(B)/examples/, perceptron/model.o perceptron/error.o \
	digits/digits.o data-sets/npy.o) $(LIBNPU_A)
LIBS_test_perceptron := $(LIBNPU_LIBS) -lz

NETWORK_UNIT_TESTS := $(addprefix $(B)/tests/unit/, test_network test_quantize test_quant_file \
	test_failing_network test_uncountable)
NETWORK_DEVICE_TESTS := $(B)/tests/device/test_network
NETWORK_TESTS := $(NETWORK_UNIT_TESTS) $(NETWORK_DEVICE_TESTS)
UNIT_TESTS += $(NETWORK_UNIT_TESTS)
DEVICE_TESTS += $(NETWORK_DEVICE_TESTS)

$(NETWORK_TESTS): $(B)/tests/network_rig.o $(B)/tests/matmul_case.o $(NETWORK_OBJS) \
	$(addprefix $(B)/tools/npu-run/, save.o error.o) $(LIBNPU_A)
$(foreach t,$(NETWORK_TESTS),$(eval LIBS_$(notdir $t) += $(LIBNPU_LIBS)))
# References here round as the text does.
$(B)/tests/unit/test_network.o: override CFLAGS += -ffp-contract=off

# The command line as a user has it, on the CPU.
CLI_CHECKS := $(addprefix check-cli-, run tools completion examples)
.PHONY: check-cli $(CLI_CHECKS)
check-cli: $(CLI_CHECKS)

check-cli-run: $(NPU_RUN) $(FASHION_MNIST) $(FASHION_MNIST)-train $(PIPELINE)
	tests/cli/run.sh $(NPU_RUN) $(FASHION_MNIST) $(FASHION_MODEL) $(PIPELINE)

check-cli-tools: $(NPU_RUN) $(NPU_REPLAY)
	tests/cli/tools.sh $(NPU_RUN) $(NPU_REPLAY)

check-cli-completion: $(NPU_RUN)
	tests/cli/completion.sh $(NPU_RUN)

check-cli-examples: $(SMALL_EXAMPLES)
	PATH="$(abspath $(B)/examples):$$PATH" tests/examples.sh cpu

# ---- runners ----

$(UNIT_TESTS) $(DEVICE_TESTS): $(B)/%: $(B)/%.o
	@echo "  LD      $@"
	$(CC) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDFLAGS_ALL) $(LDLIBS_TEST)

# Between them, all ioctls and every structure.
COMPAT_TESTS := $(B)/tests/unit/test_uapi $(addprefix $(B)/tests/device/, \
	test_ioctl test_submit test_perfmon test_prime test_file test_quota)

# Those with threads, for SAN=thread.
THREAD_TESTS := $(addprefix $(B)/tests/unit/, test_gemm test_libnpu_api test_libnpu_queue \
	test_libnpu_async test_libnpu_backlog test_libnpu_share test_nvdla_async test_arena \
	test_weights_share test_failing_cpu test_failing_npu)
# Those of objects and files, in an emulated processor that knows which bits were never written.
# The others compute: they would take hours.
MEMCHECK_TESTS := $(addprefix $(B)/tests/unit/, test_failing_cpu test_failing_host \
	test_failing_network test_failing_npu test_libnpu_queue test_libnpu_async \
	test_libnpu_backlog test_libnpu_share test_nvdla_async test_arena test_weights_file \
	test_weights_share test_file \
	test_file_refused test_query test_checksum test_npy test_idx)
# Those of what strangers say, and of how large that may be, as programs whose sizes have 32 bits.
ARMHF_TESTS := $(addprefix $(B)/tests/unit/, test_uapi test_abi test_layout test_libnpu_api \
	test_query test_weights_file test_file test_file_refused test_safetensors_write \
	test_quant_uniform test_quant_codebook test_quant_dynamic test_eval test_tune_qat test_npy \
	test_idx test_perceptron test_network test_quantize test_quant_file test_failing_network \
	test_uncountable)
.PHONY: check-threads check-valgrind
check-threads: $(THREAD_TESTS)
	tests/run.sh threads $^

check-valgrind: $(MEMCHECK_TESTS)
	TEST_RUNNER="valgrind -q --error-exitcode=99 --leak-check=full" tests/run.sh valgrind $^

.PHONY: check-programs device-tests compat-tests
check-programs: $(UNIT_TESTS)
	tests/run.sh unit $^

device-tests: $(DEVICE_TESTS) $(FUZZ_IOCTL) $(NPU_LOAD)
compat-tests: $(COMPAT_TESTS)
