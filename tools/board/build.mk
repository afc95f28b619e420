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

check-board: $(B)/tests/tiny-model.so
	tests/board/test-board.sh $(B)
