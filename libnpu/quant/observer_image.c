// SPDX-License-Identifier: MIT
/*
 * Images of observers: a header, the channels one after the other, a checksum. Numbers are
 * little-endian, floats the bits of their IEEE 754 form.
 *
 *	0	8	"NPUOBSV" and the version, 1
 *	8	4	method
 *	12	4	channels
 *	16	4	1 if channels are columns
 *	20	4	bins
 *	24	8	percentile, a double
 *	32	8	momentum, a double
 *	40	8	weight, a double
 *	48	8	values of each channel
 *	56		channels: low and high, floats; low_sum and high_sum, doubles; counts of all
 *			bins, 8 bytes each, if the method has them
 *	then	8	XXH64 of everything before
 *
 * The width of bins follows from low and high.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "../checksum.h"
#include "observer.h"

static const char magic[8] = "NPUOBSV\1";

#define HEADER_BYTES 56
#define CHANNEL_BYTES 24
#define CHECKSUM_BYTES 8

static uint64_t image_bytes(const struct npu_observer_desc *desc)
{
	uint64_t bins = npu_observer_has_bins(desc) ? desc->bins : 0;

	return HEADER_BYTES + desc->channels * (CHANNEL_BYTES + bins * 8) + CHECKSUM_BYTES;
}

size_t npu_observer_image_bytes(const struct npu_observer *observer)
{
	return (size_t)image_bytes(&observer->desc);
}

/* ---- Writing --------------------------------------------------------------------------- */

static void put32(uint8_t **at, uint32_t x)
{
	x = htole32(x);
	memcpy(*at, &x, sizeof(x));
	*at += sizeof(x);
}

static void put64(uint8_t **at, uint64_t x)
{
	x = htole64(x);
	memcpy(*at, &x, sizeof(x));
	*at += sizeof(x);
}

static void put_float(uint8_t **at, float x)
{
	uint32_t bits;

	memcpy(&bits, &x, sizeof(bits));
	put32(at, bits);
}

static void put_double(uint8_t **at, double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	put64(at, bits);
}

void npu_observer_save(const struct npu_observer *observer, void *image)
{
	const struct npu_observer_desc *desc = &observer->desc;
	uint8_t *at = image;

	memcpy(at, magic, sizeof(magic));
	at += sizeof(magic);
	put32(&at, desc->method);
	put32(&at, desc->channels);
	put32(&at, desc->columns);
	put32(&at, desc->bins);
	put_double(&at, desc->percentile);
	put_double(&at, desc->momentum);
	put_double(&at, observer->weight);
	put64(&at, observer->seen);
	for (uint32_t i = 0; i < desc->channels; i++) {
		const struct npu_observed *channel = &observer->channel[i];

		put_float(&at, channel->low);
		put_float(&at, channel->high);
		put_double(&at, channel->low_sum);
		put_double(&at, channel->high_sum);
		for (uint32_t bin = 0; bin < channel->histogram.bins; bin++)
			put64(&at, channel->histogram.count[bin]);
	}
	put64(&at, npu_checksum(image, (size_t)(at - (uint8_t *)image)));
}

/* ---- Reading --------------------------------------------------------------------------- */

static uint32_t get32(const uint8_t **at)
{
	uint32_t x;

	memcpy(&x, *at, sizeof(x));
	*at += sizeof(x);
	return le32toh(x);
}

static uint64_t get64(const uint8_t **at)
{
	uint64_t x;

	memcpy(&x, *at, sizeof(x));
	*at += sizeof(x);
	return le64toh(x);
}

static float get_float(const uint8_t **at)
{
	uint32_t bits = get32(at);
	float x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

static double get_double(const uint8_t **at)
{
	uint64_t bits = get64(at);
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/* The counts, which go from the smallest to the largest value and add up to all values. */
static const char *read_counts(struct npu_observed *channel, uint64_t seen, const uint8_t **at)
{
	struct npu_histogram *h = &channel->histogram;
	uint64_t left = seen;

	npu_histogram_grow(h, npu_histogram_exponent(h->bins, fmaxf(-channel->low, channel->high)));
	for (uint32_t i = 0; i < h->bins; i++) {
		h->count[i] = get64(at);
		if (h->count[i] > left)
			return "a histogram has more values than were seen";
		left -= h->count[i];
		if (h->count[i] && (i < npu_histogram_bin(h, channel->low) ||
				    i > npu_histogram_bin(h, channel->high)))
			return "a histogram has values that are not in the range";
	}
	if (left)
		return "a histogram has fewer values than were seen";
	if (seen && (!h->count[npu_histogram_bin(h, channel->low)] ||
		     !h->count[npu_histogram_bin(h, channel->high)]))
		return "a histogram lacks the smallest or the largest value";
	return NULL;
}

/* What @weight makes of a range, averages are within, but for rounding. NaN is not. */
static bool averages_are_within(const struct npu_observed *channel, double weight)
{
	const double least = weight * (double)channel->low, most = weight * (double)channel->high;
	const double slack = 1e-6 * fmax(fabs(least), fabs(most));

	return channel->low_sum >= least - slack && channel->low_sum <= channel->high_sum &&
	       channel->high_sum <= most + slack;
}

static const char *read_channel(struct npu_observed *channel, uint64_t seen, double weight,
				const uint8_t **at)
{
	channel->low = get_float(at);
	channel->high = get_float(at);
	channel->low_sum = get_double(at);
	channel->high_sum = get_double(at);
	if (!isfinite(channel->low) || !isfinite(channel->high) || channel->low > channel->high)
		return "a range is none";
	if (!seen && (channel->low != 0 || channel->high != 0))
		return "a range is there, but nothing was seen";
	if (!averages_are_within(channel, weight))
		return "an average is none";
	return channel->histogram.bins ? read_counts(channel, seen, at) : NULL;
}

static const char *read_header(struct npu_observer *head, const uint8_t **at)
{
	struct npu_observer_desc *desc = &head->desc;
	uint32_t columns;

	*at += sizeof(magic);
	desc->size = sizeof(*desc);
	desc->method = (enum npu_observer_method)get32(at);
	desc->channels = get32(at);
	columns = get32(at);
	desc->columns = columns;
	desc->bins = get32(at);
	desc->percentile = get_double(at);
	desc->momentum = get_double(at);
	head->weight = get_double(at);
	head->seen = get64(at);
	if (!desc->channels || columns > (desc->channels > 1))
		return "channels are none, or neither rows nor columns";
	if (head->seen > NPU_OBSERVER_MOST || !(head->weight >= 0 && head->weight <= 1) ||
	    (head->weight == 0) != !head->seen)
		return "what has been seen cannot be";
	return npu_observer_fault(desc);
}

static const char *envelope_fault(const uint8_t *image, size_t bytes)
{
	const uint8_t *end;

	if (bytes < HEADER_BYTES + CHECKSUM_BYTES || memcmp(image, magic, sizeof(magic) - 1))
		return "not an image of an observer";
	if (image[sizeof(magic) - 1] != magic[sizeof(magic) - 1])
		return "of another version";
	end = image + bytes - CHECKSUM_BYTES;
	if (get64(&end) != npu_checksum(image, bytes - CHECKSUM_BYTES))
		return "cut short or damaged, its checksum is wrong";
	return NULL;
}

int npu_observer_load(const void *image, size_t bytes, struct npu_observer **out,
		      struct npu_error *err)
{
	struct npu_observer head, *observer;
	const uint8_t *at = image;
	const char *fault;

	if (!image || !out)
		return npu_fail(err, -EINVAL,
				"npu_observer_load: no image, or no place for the observer given");
	fault = envelope_fault(image, bytes);
	if (!fault)
		fault = read_header(&head, &at);
	if (!fault && image_bytes(&head.desc) != bytes)
		fault = "its size is not what its header says";
	if (fault)
		return npu_fail(err, -EBADMSG, "npu_observer_load: %s", fault);

	observer = npu_observer_new(&head.desc);
	if (!observer)
		return npu_fail(err, -ENOMEM, "no memory for an observer of %u channels",
				head.desc.channels);
	observer->seen = head.seen;
	observer->weight = head.weight;
	for (uint32_t i = 0; i < head.desc.channels && !fault; i++)
		fault = read_channel(&observer->channel[i], head.seen, head.weight, &at);
	if (fault) {
		npu_observer_destroy(observer);
		return npu_fail(err, -EBADMSG, "npu_observer_load: %s", fault);
	}
	*out = observer;
	return 0;
}
