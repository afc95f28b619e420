# SPDX-License-Identifier: MIT
#
# Examples are whole programs against the public header. They are linked with the static library, so
# that they run from the build tree as they are.

FASHION := examples/fashion-mnist
FASHION_OBJS := $(addprefix $(B)/$(FASHION)/, classify.o network.o quantize.o report.o \
	forward.o score.o dataset.o idx.o model.o error.o)
FASHION_TRAIN_OBJS := $(addprefix $(B)/$(FASHION)/, train.o backprop.o \
	forward.o score.o dataset.o idx.o model.o error.o)
FASHION_QAT_OBJS := $(addprefix $(B)/$(FASHION)/, qat.o qat_network.o network.o quantize.o \
	forward.o score.o dataset.o idx.o model.o error.o)
FASHION_MNIST := $(B)/$(FASHION)/fashion-mnist
FASHION_MODEL := $(FASHION)/model.mlp

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

$(B)/$(FASHION)/fashion-mnist-train: $(FASHION_TRAIN_OBJS)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) -lz -lm

$(B)/$(FASHION)/fashion-mnist-qat: $(FASHION_QAT_OBJS) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS) -lz -lm

PIPELINE := $(B)/examples/pipeline/pipeline

ALL += $(PIPELINE)

$(PIPELINE): $(addprefix $(B)/examples/pipeline/, pipeline.o camera.o layer.o) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS)

# What "make run" runs on the board, and the files it needs there.
EXAMPLE := fashion-mnist $(FASHION_MODEL)
EXAMPLE_FILES := $(addprefix /usr/share/datasets/fashion-mnist/, \
	t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz)

# Makes the model of the tree again: about three minutes on one core.
.PHONY: train
train: $(B)/$(FASHION)/fashion-mnist-train
	$< $(FASHION_MODEL)
