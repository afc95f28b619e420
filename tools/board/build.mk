# SPDX-License-Identifier: MIT
#
# The virtual board. `make` builds the model; `make board` also what depends on the QEMU installed,
# and fetches what the default board boots.

include tools/board/model/build.mk

.PHONY: board check-board
board: all
	tools/board/board device --build $(O)
	tools/board/board fetch --build $(O)

check-board: $(B)/tests/tiny-model.so
	tests/board/test-board.sh $(B)
