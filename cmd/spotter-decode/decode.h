//go:build cgo && !nolibav

// A thin, allocation-light layer over libavformat, libavcodec and libswscale: open one video stream of a file, read its
// packets, decode them, draw decoded frames into memory that the caller owns. It makes no decisions about which packets
// and frames are wanted; that is Go's part.
//
// Functions return 0 or more for success and libav's negative codes (AVERROR) for failure. Nothing here is safe for
// concurrent use.

#ifndef SPOTTER_DECODE_H
#define SPOTTER_DECODE_H

#include <stdint.h>

typedef struct sd_source sd_source;
struct AVPacket;

// What keeps a stream from being decoded, beside libav's own errors.
enum { SD_OK, SD_NO_VIDEO, SD_AUDIO_ONLY, SD_COVER, SD_CODEC, SD_ENCRYPTED, SD_STREAMS };

// The most video tracks that are listed.
#define SD_VIDEOS 16

typedef struct {
	char codec[32];       // libavcodec's short name
	char format[64];      // libavformat's long name
	int stream;           // number of the chosen stream
	int width, height;    // as the container says, before anything is turned or stretched
	int sar_num, sar_den; // shape of a pixel as the container says; 0/1 unknown
	int tb_num, tb_den;   // time base in seconds
	int rate_num, rate_den;
	int64_t start_time;   // of the container in microseconds; INT64_MIN unknown
	int64_t duration;     // of the container in microseconds; INT64_MIN unknown
	int full_range;       // as the container says
	int interlaced;       // as the container says
	int skewed;           // the display matrix is no quarter turn
	int index_entries;    // entries of the container's index
	int videos;           // how many video tracks there are, covers not counted
	int video[SD_VIDEOS]; // their streams' numbers
} sd_info;

typedef struct {
	int64_t pts, dts, pos; // INT64_MIN unknown (pos: -1)
	int64_t duration;
	int32_t size;
	int32_t key;     // decoding can start here
	int32_t closed;  // no packet after this one needs any before it
	int32_t nonref;  // no other frame needs this one, certainly
	int32_t layer;   // HEVC: temporal layer; a nonref packet may be needed by higher layers
	int32_t corrupt; // the container says that a part of it is missing
	int64_t unread;  // bytes before it, since the packet before, that no packet was made of
	int32_t discard; // to be decoded but not shown (edit lists)
} sd_packet;

typedef struct {
	int64_t pts;       // INT64_MIN unknown
	int64_t best;      // pts or libav's best guess; INT64_MIN unknown
	int width, height; // as decoded
	int sar_num, sar_den;
	int interlaced;
	int full_range;
	int matrix; // face.ColorMatrix
	int deep;   // more than 8 bits a sample
	int concealed; // the decoder made up a part of it
	int orientation; // wire.Orientation: transpose 4, flip y 2, flip x 1
} sd_frame;

typedef struct {
	int64_t offset[3];
	int stride[3];
	int width, height; // of the first plane
} sd_picture;

// Opens the file behind a descriptor with the named demuxer and chooses the video stream: stream >= 0 takes that one.
// Where needs is not 0, sd_need is called with it before bytes of the file are read.
// The container begins at base; rate is the frame rate of a raw stream, else empty. all reads the other streams too, so that sd_packet.unread counts what belongs to none.
// *refusal says why there is none to decode (SD_...), and info->codec then names the codec.
int sd_open(int fd, uintptr_t needs, int64_t base, int64_t size, const char *demuxer, const char *rate, int64_t max_pixels, int stream, int all,
	sd_source **out, sd_info *info, int *refusal);
void sd_close(sd_source *s);

// The container's index.
int sd_index_count(sd_source *s);
int sd_index(sd_source *s, int i, int64_t *time, int64_t *pos, int *key);

// Reads the stream's next packet. The caller frees it.
int sd_read(sd_source *s, struct AVPacket **packet, sd_packet *meta);
// Adds ticks to the time stamps of what is read from now on.
void sd_shift(sd_source *s, int64_t ticks);
// The byte where the last packet of any stream ended, and the latest time in microseconds that one lasts to; 0 unknown.
int64_t sd_reach(sd_source *s);
int64_t sd_end(sd_source *s);
void sd_free(struct AVPacket *packet);
// Jumps to a keyframe at or before a time (dts or pts, as the index has it) or to a byte position.
int sd_seek(sd_source *s, int64_t time, int64_t pos, int by_byte);
// Whether reading failed for another reason than the file's end.
int sd_read_error(sd_source *s);

// Gives the decoder a packet; NULL ends the stream.
int sd_send(sd_source *s, struct AVPacket *packet);
// Takes the next decoded frame, which stays current until the next call.
int sd_receive(sd_source *s, sd_frame *meta);
// Forgets all decoding state, as after a seek.
void sd_reset(sd_source *s);
// Draws the current frame upright at full size, and small if small is not NULL.
int sd_draw(sd_source *s, int orientation, const sd_picture *full, const sd_picture *small, uint8_t *slot);

int sd_threads(int most);

void sd_error(int code, char *text, int size);
int sd_is_eof(int code);
int sd_is_again(int code);
int sd_is_memory(int code);
void sd_versions(char *text, int size);

#endif
