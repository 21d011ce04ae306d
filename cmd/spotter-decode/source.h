//go:build cgo && !nolibav

// What the C files share.

#ifndef SPOTTER_SOURCE_H
#define SPOTTER_SOURCE_H

#include "decode.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>

// A scaler and the question it answers; it is made anew when the question changes.
typedef struct {
	struct SwsContext *sws;
	int from_width, from_height, from_format, to_width, to_height, full_range, flags;
} sd_scaler;

struct sd_source {
	int fd;
	uintptr_t needs;        // whom to tell what is to be read; 0 for nobody
	int64_t base;           // where the container begins in the file
	int64_t position, size; // from there
	int64_t shift;          // ticks added to every time stamp of the stream
	int64_t reach;          // the end of what packets of any stream have been read from
	int64_t block;          // where the last packet of any stream began
	int64_t end;            // the latest end of a packet of any stream, in microseconds; 0 unknown
	int64_t unread;         // bytes between packets since the stream's last one
	int read_error;
	AVFormatContext *format;
	AVIOContext *io;
	AVStream *stream;
	AVCodecContext *codec;
	AVFrame *frame;
	int nal_length; // bytes of a NAL unit's length prefix; 0 for start codes
	sd_scaler full, small;
	uint8_t *scratch;
	size_t scratch_size;
};

void sd_classify_init(sd_source *s);
void sd_classify(sd_source *s, const AVPacket *p, sd_packet *meta);

int sd_is_interlaced(const AVFrame *f);
int sd_is_full_range(const AVFrame *f);
int sd_has_rgb(const AVFrame *f);
void sd_draw_close(sd_source *s);

#endif
