# SPDX-License-Identifier: MIT
#
# The recorder, a device model around another one, and npu-replay, which plays what it recorded.

RECORD := $(B)/tools/board/record
MODEL_DECODER := $(addprefix $(B)/tools/board/model/, config.o op.o regfile.o regmap.o)
RECORDER_OBJECTS := $(addprefix $(RECORD)/, recorder.o extents.o image.o library.o) $(MODEL_DECODER)
REPLAY_OBJECTS := $(addprefix $(RECORD)/, replay.o vector.o image.o library.o) $(MODEL_DECODER)
RECORDER_LIBRARY := $(RECORD)/libnpu-recorder.so
NPU_REPLAY := $(RECORD)/npu-replay

ALL += $(RECORDER_LIBRARY) $(NPU_REPLAY)

$(RECORDER_LIBRARY): $(RECORDER_OBJECTS) tools/board/model/npu_model.map
	@echo "  LD      $@"
	$(CC) -shared -Wl,--version-script=tools/board/model/npu_model.map -o $@ \
		$(RECORDER_OBJECTS) $(LDFLAGS_ALL) -ldl

$(NPU_REPLAY): $(RECORD)/main.o $(REPLAY_OBJECTS)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) -ldl
