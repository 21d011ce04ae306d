//go:build cgo && !nolibav

// What a packet's bytes say about who needs it. Everything here errs on the side of "needed": a packet is called nonref
// only if its own syntax says that no other picture refers to it.

#include "source.h"

#include <string.h>

void sd_classify_init(sd_source *s) {
	const AVCodecContext *c = s->codec;
	s->nal_length = 0;
	// avcC and hvcC records start with 1; Annex B extradata starts with a start code.
	if (c->codec_id == AV_CODEC_ID_H264 && c->extradata_size >= 7 && c->extradata[0] == 1)
		s->nal_length = (c->extradata[4] & 3) + 1;
	if (c->codec_id == AV_CODEC_ID_HEVC && c->extradata_size >= 23 && c->extradata[0] == 1)
		s->nal_length = (c->extradata[21] & 3) + 1;
}

// The next NAL unit of [*at, end): with a length prefix of n bytes, or after a start code (n = 0).
static const uint8_t *next_nal(const uint8_t **at, const uint8_t *end, int n, size_t *size) {
	const uint8_t *p = *at;
	if (n > 0) {
		if (end - p <= n)
			return NULL;
		size_t length = 0;
		for (int i = 0; i < n; i++)
			length = length << 8 | *p++;
		if (length == 0 || length > (size_t)(end - p))
			return NULL;
		*at = p + length;
		*size = length;
		return p;
	}
	// Start codes: 00 00 01. Only the head of a unit is looked at, so its end does not matter.
	while (end - p > 3) {
		const uint8_t *one = memchr(p + 2, 1, end - p - 2);
		if (!one)
			return NULL;
		if (one[-1] == 0 && one[-2] == 0 && end - one > 1) {
			*at = one + 1;
			*size = end - one - 1;
			return one + 1;
		}
		p = one - 1;
	}
	return NULL;
}

// An Exp-Golomb number of a slice header, which starts at bit *bit; -1 beyond 32 bytes.
static int exp_golomb(const uint8_t *p, size_t size, unsigned *bit) {
	unsigned zeros = 0, limit = 8 * (size < 32 ? size : 32);
	while (*bit < limit && !(p[*bit / 8] >> (7 - *bit % 8) & 1)) {
		zeros++;
		++*bit;
	}
	if (zeros > 24 || *bit + zeros + 1 > limit)
		return -1;
	unsigned value = 0;
	for (unsigned i = 0; i <= zeros; i++, ++*bit)
		value = value << 1 | (p[*bit / 8] >> (7 - *bit % 8) & 1);
	return value - 1;
}

// A slice of only intra blocks: types 2 and 7 (I), 4 and 9 (SI).
static int h264_intra(const uint8_t *nal, size_t size) {
	unsigned bit = 8;
	int type = exp_golomb(nal, size, &bit) < 0 ? -1 : exp_golomb(nal, size, &bit); // first_mb_in_slice, slice_type
	return type == 2 || type == 7 || type == 4 || type == 9;
}

static void classify_h264(const sd_source *s, const AVPacket *p, sd_packet *m) {
	const uint8_t *at = p->data, *end = p->data + p->size, *nal;
	size_t size;
	int slices = 0, referenced = 0, idr = 0, intra = 1;
	while ((nal = next_nal(&at, end, s->nal_length, &size))) {
		int type = nal[0] & 31;
		if (type != 1 && type != 2 && type != 5)
			continue;
		slices = 1;
		referenced |= (nal[0] & 0x60) != 0; // nal_ref_idc
		idr |= type == 5;
		intra &= type == 5 || h264_intra(nal, size);
	}
	m->nonref = slices && !referenced;
	m->closed = m->key && idr;
	m->key = m->key && (idr || (slices && intra)); // a gradual refresh is no place to start exactly
}

static void classify_hevc(const sd_source *s, const AVPacket *p, sd_packet *m) {
	const uint8_t *at = p->data, *end = p->data + p->size, *nal;
	size_t size;
	int slices = 0, referenced = 0, idr = 0, layer = 0;
	while ((nal = next_nal(&at, end, s->nal_length, &size))) {
		int type = nal[0] >> 1 & 63;
		if (type > 31 || size < 2)
			continue;
		slices = 1;
		referenced |= type > 14 || (type & 1); // even types up to 14: sub-layer non-reference
		idr |= type == 19 || type == 20;
		layer = (nal[1] & 7) - 1;
	}
	m->nonref = slices && !referenced;
	m->closed = m->key && idr;
	m->layer = layer;
}

// MPEG-1 and -2 picture headers: start code 00, ten bits of temporal reference, then three bits of type; 3 is B.
// MPEG-4 part 2: start code B6, two bits of type; 2 is B. B pictures are never referred to in either.
static void classify_mpeg(const AVPacket *p, sd_packet *m, int part2) {
	const uint8_t *at = p->data, *end = p->data + p->size, *unit;
	size_t size;
	int pictures = 0, others = 0;
	while ((unit = next_nal(&at, end, 0, &size)) && size > 3) {
		if (unit[0] != (part2 ? 0xb6 : 0x00))
			continue;
		pictures = 1;
		others |= part2 ? unit[1] >> 6 != 2 : (unit[2] >> 3 & 7) != 3;
	}
	m->nonref = pictures && !others;
}

void sd_classify(sd_source *s, const AVPacket *p, sd_packet *m) {
	switch (s->codec->codec_id) {
	case AV_CODEC_ID_H264: classify_h264(s, p, m); break;
	case AV_CODEC_ID_HEVC: classify_hevc(s, p, m); break;
	case AV_CODEC_ID_MPEG1VIDEO:
	case AV_CODEC_ID_MPEG2VIDEO: classify_mpeg(p, m, 0); break;
	case AV_CODEC_ID_MPEG4: classify_mpeg(p, m, 1); break;
	case AV_CODEC_ID_VP8:
	case AV_CODEC_ID_VP9: m->closed = m->key; break; // a key frame replaces every reference
	case AV_CODEC_ID_MJPEG:
	case AV_CODEC_ID_PRORES: // every frame stands alone
		m->key = m->closed = 1;
		break;
	default: break;
	}
}
