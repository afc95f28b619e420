# SPDX-License-Identifier: MIT
#
# Examples are whole programs against the public header. They are linked with the static library, so
# that they run from the build tree as they are.

# A float perceptron, its file and its training, for the data sets below.
PERCEPTRON_OBJS := $(addprefix $(B)/examples/perceptron/, model.o forward.o score.o error.o)
PERCEPTRON_LEARN_OBJS := $(PERCEPTRON_OBJS) $(addprefix $(B)/examples/perceptron/, \
	learn.o backprop.o)

FASHION := examples/fashion-mnist
FASHION_DATA_OBJS := $(addprefix $(B)/$(FASHION)/, dataset.o idx.o)
FASHION_OBJS := $(addprefix $(B)/$(FASHION)/, classify.o network.o quantize.o report.o) \
	$(FASHION_DATA_OBJS) $(PERCEPTRON_OBJS)
FASHION_TRAIN_OBJS := $(B)/$(FASHION)/train.o $(FASHION_DATA_OBJS) $(PERCEPTRON_LEARN_OBJS)
FASHION_QAT_OBJS := $(addprefix $(B)/$(FASHION)/, qat.o qat_network.o network.o quantize.o) \
	$(FASHION_DATA_OBJS) $(PERCEPTRON_OBJS)
FASHION_MNIST := $(B)/$(FASHION)/fashion-mnist
FASHION_MODEL := $(FASHION)/model.safetensors

ALL += $(FASHION_MNIST) $(B)/$(FASHION)/fashion-mnist-train $(B)/$(FASHION)/fashion-mnist-qat

# One file each, one way of use.
SMALL_EXAMPLES := $(addprefix $(B)/examples/, matmul packed-weights dma-buf fallback \
	outlier-layer)

ALL += $(SMALL_EXAMPLES)

$(SMALL_EXAMPLES): %: %.o $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS)

# Without fused multiply-add every machine rounds the same way, so float results are the same too.
CPPFLAGS_examples := -ffp-contract=off

$(FASHION_MNIST): $(FASHION_OBJS) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS) -lz -lm

$(B)/$(FASHION)/fashion-mnist-train: $(FASHION_TRAIN_OBJS) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS) -lz -lm

$(B)/$(FASHION)/fashion-mnist-qat: $(FASHION_QAT_OBJS) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS) -lz -lm

# The digits of scikit-learn, a second data set.
DIGITS := examples/digits
DIGITS_DATA_OBJS := $(B)/$(DIGITS)/digits.o
DIGITS_TRAIN := $(B)/$(DIGITS)/digits-train
DIGITS_MODEL := $(DIGITS)/model.safetensors

$(DIGITS_TRAIN): $(B)/$(DIGITS)/train.o $(DIGITS_DATA_OBJS) $(PERCEPTRON_LEARN_OBJS) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS) -lz -lm

# Both data sets as .npy, for npu-run.
DATA_SETS := $(B)/examples/data-sets/data-sets

$(DATA_SETS): $(addprefix $(B)/examples/data-sets/, data_sets.o npy.o) $(FASHION_DATA_OBJS) \
		$(DIGITS_DATA_OBJS) $(B)/examples/perceptron/error.o
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) -lz

ALL += $(DIGITS_TRAIN) $(DATA_SETS)

.PHONY: data-sets
data-sets: $(O)/data-sets/fashion-mnist-training-labels.npy $(O)/data-sets/digits-training-labels.npy

# Each writes four files, the one that is named here last. They are the same for every machine.
$(O)/data-sets/fashion-mnist-training-labels.npy: | $(DATA_SETS)
	@mkdir -p $(@D)
	$(DATA_SETS) fashion-mnist $(@D)

$(O)/data-sets/digits-training-labels.npy: | $(DATA_SETS)
	@mkdir -p $(@D)
	$(DATA_SETS) digits "$$(scripts/digits.sh)" $(@D)

PIPELINE := $(B)/examples/pipeline/pipeline

ALL += $(PIPELINE)

$(PIPELINE): $(addprefix $(B)/examples/pipeline/, pipeline.o camera.o layer.o) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS)

# What "make run" runs on the board, and the files it needs there.
EXAMPLE := fashion-mnist $(FASHION_MODEL)
EXAMPLE_FILES := $(addprefix /usr/share/datasets/fashion-mnist/, \
	t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz)

# Makes the models of the tree again: about three minutes on one core, and some seconds.
.PHONY: train train-digits
train: $(B)/$(FASHION)/fashion-mnist-train
	$< $(FASHION_MODEL)

train-digits: $(DIGITS_TRAIN)
	$< "$$(scripts/digits.sh)" $(DIGITS_MODEL)
