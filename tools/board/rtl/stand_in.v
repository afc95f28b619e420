// SPDX-License-Identifier: MIT
//
// Stands in for NVDLA where its RTL is not: the same ports, and behind them the least that uses all
// of them. Registers, at byte offsets:
//
//   0x1000  reads as 0x53544e44
//   0x1004  interrupt mask: bit 0 set keeps the line low
//   0x100c  interrupt status: bit 0 says that a copy has ended; write 1 to clear
//   0x2000  source address
//   0x2004  destination address
//   0x2008  number of 64-bit words, 1 to 16
//   0x200c  write 1: copy that many words, each byte plus one

`default_nettype none

module NV_nvdla (
	input  wire        dla_core_clk,
	input  wire        dla_csb_clk,
	input  wire        global_clk_ovr_on,
	input  wire        tmc2slcg_disable_clock_gating,
	input  wire        dla_reset_rstn,
	input  wire        direct_reset_,
	input  wire        test_mode,
	input  wire        csb2nvdla_valid,
	output wire        csb2nvdla_ready,
	input  wire [15:0] csb2nvdla_addr,
	input  wire [31:0] csb2nvdla_wdat,
	input  wire        csb2nvdla_write,
	input  wire        csb2nvdla_nposted,
	output reg         nvdla2csb_valid,
	output reg  [31:0] nvdla2csb_data,
	output reg         nvdla2csb_wr_complete,
	output reg         nvdla_core2dbb_aw_awvalid,
	input  wire        nvdla_core2dbb_aw_awready,
	output wire [7:0]  nvdla_core2dbb_aw_awid,
	output wire [3:0]  nvdla_core2dbb_aw_awlen,
	output wire [31:0] nvdla_core2dbb_aw_awaddr,
	output wire        nvdla_core2dbb_w_wvalid,
	input  wire        nvdla_core2dbb_w_wready,
	output wire [63:0] nvdla_core2dbb_w_wdata,
	output wire [7:0]  nvdla_core2dbb_w_wstrb,
	output wire        nvdla_core2dbb_w_wlast,
	input  wire        nvdla_core2dbb_b_bvalid,
	output wire        nvdla_core2dbb_b_bready,
	input  wire [7:0]  nvdla_core2dbb_b_bid,
	output reg         nvdla_core2dbb_ar_arvalid,
	input  wire        nvdla_core2dbb_ar_arready,
	output wire [7:0]  nvdla_core2dbb_ar_arid,
	output wire [3:0]  nvdla_core2dbb_ar_arlen,
	output wire [31:0] nvdla_core2dbb_ar_araddr,
	input  wire        nvdla_core2dbb_r_rvalid,
	output wire        nvdla_core2dbb_r_rready,
	input  wire [7:0]  nvdla_core2dbb_r_rid,
	input  wire        nvdla_core2dbb_r_rlast,
	input  wire [63:0] nvdla_core2dbb_r_rdata,
	output wire        dla_intr,
	input  wire [31:0] nvdla_pwrbus_ram_c_pd,
	input  wire [31:0] nvdla_pwrbus_ram_ma_pd,
	input  wire [31:0] nvdla_pwrbus_ram_mb_pd,
	input  wire [31:0] nvdla_pwrbus_ram_p_pd,
	input  wire [31:0] nvdla_pwrbus_ram_o_pd,
	input  wire [31:0] nvdla_pwrbus_ram_a_pd
);

	localparam IDLE = 2'd0, READ = 2'd1, WRITE = 2'd2, ANSWER = 2'd3;

	reg         mask, status;
	reg  [31:0] source, destination;
	reg  [4:0]  words;
	reg  [1:0]  state;
	reg  [3:0]  at;
	reg  [63:0] buffer [0:15];

	wire [15:0] offset = {csb2nvdla_addr[13:0], 2'b00};
	wire        write = csb2nvdla_valid && csb2nvdla_write;
	wire        start = write && offset == 16'h200c && csb2nvdla_wdat[0] && state == IDLE;
	wire        last = {1'b0, at} + 5'd1 == words;

	assign csb2nvdla_ready = 1'b1;
	assign dla_intr = status && !mask;

	always @(posedge dla_csb_clk) begin
		nvdla2csb_valid <= csb2nvdla_valid && !csb2nvdla_write;
		nvdla2csb_wr_complete <= write && csb2nvdla_nposted;
		case (offset)
		16'h1000: nvdla2csb_data <= 32'h53544e44;
		16'h1004: nvdla2csb_data <= {31'd0, mask};
		16'h100c: nvdla2csb_data <= {31'd0, status};
		16'h2000: nvdla2csb_data <= source;
		16'h2004: nvdla2csb_data <= destination;
		16'h2008: nvdla2csb_data <= {27'd0, words};
		default:  nvdla2csb_data <= 32'd0;
		endcase
		if (!dla_reset_rstn) begin
			mask <= 1'b0;
			source <= 32'd0;
			destination <= 32'd0;
			words <= 5'd1;
		end else if (write) begin
			case (offset)
			16'h1004: mask <= csb2nvdla_wdat[0];
			16'h2000: source <= csb2nvdla_wdat;
			16'h2004: destination <= csb2nvdla_wdat;
			16'h2008: words <= csb2nvdla_wdat[4:0];
			default: ;
			endcase
		end
	end

	// One burst in, one burst out.
	assign nvdla_core2dbb_ar_arid = 8'd1;
	assign nvdla_core2dbb_ar_arlen = words[3:0] - 4'd1;
	assign nvdla_core2dbb_ar_araddr = source;
	assign nvdla_core2dbb_r_rready = state == READ;
	assign nvdla_core2dbb_aw_awid = 8'd2;
	assign nvdla_core2dbb_aw_awlen = words[3:0] - 4'd1;
	assign nvdla_core2dbb_aw_awaddr = destination;
	assign nvdla_core2dbb_w_wvalid = state == WRITE;
	assign nvdla_core2dbb_w_wdata = buffer[at];
	assign nvdla_core2dbb_w_wstrb = 8'hff;
	assign nvdla_core2dbb_w_wlast = last;
	assign nvdla_core2dbb_b_bready = state == ANSWER;

	integer i;

	always @(posedge dla_core_clk) begin
		if (!dla_reset_rstn) begin
			state <= IDLE;
			status <= 1'b0;
			at <= 4'd0;
			nvdla_core2dbb_ar_arvalid <= 1'b0;
			nvdla_core2dbb_aw_awvalid <= 1'b0;
		end else begin
			if (write && offset == 16'h100c && csb2nvdla_wdat[0])
				status <= 1'b0;
			if (nvdla_core2dbb_ar_arready)
				nvdla_core2dbb_ar_arvalid <= 1'b0;
			if (nvdla_core2dbb_aw_awready)
				nvdla_core2dbb_aw_awvalid <= 1'b0;
			case (state)
			IDLE: if (start) begin
				state <= READ;
				at <= 4'd0;
				nvdla_core2dbb_ar_arvalid <= 1'b1;
			end
			READ: if (nvdla_core2dbb_r_rvalid) begin
				for (i = 0; i < 8; i = i + 1)
					buffer[at][8 * i +: 8] <= nvdla_core2dbb_r_rdata[8 * i +: 8] + 8'd1;
				at <= last ? 4'd0 : at + 4'd1;
				if (last) begin
					state <= WRITE;
					nvdla_core2dbb_aw_awvalid <= 1'b1;
				end
			end
			WRITE: if (nvdla_core2dbb_w_wready) begin
				at <= last ? 4'd0 : at + 4'd1;
				if (last)
					state <= ANSWER;
			end
			ANSWER: if (nvdla_core2dbb_b_bvalid) begin
				state <= IDLE;
				status <= 1'b1;
			end
			endcase
		end
	end
endmodule
