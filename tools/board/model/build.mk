# SPDX-License-Identifier: MIT
#
# The device model: a shared object for the board, and its objects for the unit tests.

MODEL_SOURCES := cbuf config conv fault intr mac npu_model op regfile regmap sdp timing
MODEL_OBJECTS := $(MODEL_SOURCES:%=$(B)/tools/board/model/%.o)
MODEL_LIBRARY := $(B)/tools/board/model/libnpu-model.so

ALL += $(MODEL_LIBRARY)

# The MAC loop is worth it; the rest is not where the time goes.
$(B)/tools/board/model/mac.o: CFLAGS_ALL += -O3

$(MODEL_LIBRARY): $(MODEL_OBJECTS) tools/board/model/npu_model.map
	@echo "  LD      $@"
	@echo "  LD      $@"
	$(CC) -shared -Wl,--version-script=tools/board/model/npu_model.map -o $@ \
		$(MODEL_OBJECTS) $(LDFLAGS_ALL)
