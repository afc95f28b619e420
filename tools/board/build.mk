# SPDX-License-Identifier: MIT
#
# The virtual board. `make` builds the model; `make board` also what depends on the QEMU installed,
# and fetches what the default board boots.

include tools/board/model/build.mk
include tools/board/record/build.mk

.PHONY: board check-board
board: all
	$(BOARD) device $(GUEST)
	$(BOARD) fetch $(GUEST)

check-board: $(B)/tests/tiny-model.so $(B)/tests/broken-model.so $(B)/tools/npu-run/npu-run
	tests/board/test-board.sh $(B)
	tests/board/test-record.sh $(B)

# RTL in place of the model, which takes verilator.
.PHONY: check-rtl
check-rtl: board
	scripts/setup.sh rtl
	tests/board/test-rtl.sh $(B)
