//go:build cgo && !nolibav

// Opening, demuxing and decoding. See decode.h.

#include "source.h"

#include <libavutil/avstring.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Every decoder that may ever run. Others are in the library, and are never opened.
#define DECODERS "h264,hevc,vp8,vp9,libdav1d,libaom-av1,mpeg1video,mpeg2video,mpeg4,mjpeg,prores,dnxhd,wmv1,wmv2,wmv3,vc1,flv,vp6f"

// Bytes read ahead. Larger blocks save calls; smaller ones save memory. libav's own default for files.
#define READ_BLOCK (64 << 10)

// libav's own bound. A whole transponder of a satellite has some 100 streams.
#define MAX_STREAMS 1000

// Bytes that are looked through for a transport stream's next packet, where some are damaged: all.
#define RESYNC_BYTES "2147483647"

// In needs.go: has the bytes from..to of the file brought; below 0 where they cannot be.
extern int sd_need(uintptr_t needs, int64_t from, int64_t to);

static int read_block(void *opaque, uint8_t *buffer, int size) {
	sd_source *s = opaque;
	if (s->needs && sd_need(s->needs, s->base + s->position, s->base + s->position + size) < 0) {
		s->read_error = 1;
		return AVERROR(EIO);
	}
	ssize_t n = pread(s->fd, buffer, size, s->base + s->position);
	if (n < 0) {
		s->read_error = 1;
		return AVERROR(EIO);
	}
	if (n == 0)
		return AVERROR_EOF;
	s->position += n;
	return n;
}

static int64_t seek_to(void *opaque, int64_t offset, int whence) {
	sd_source *s = opaque;
	if (whence & AVSEEK_SIZE)
		return s->size;
	switch (whence & ~AVSEEK_FORCE) {
	case SEEK_SET: break;
	case SEEK_CUR: offset += s->position; break;
	case SEEK_END: offset += s->size; break;
	default: return AVERROR(EINVAL);
	}
	if (offset < 0)
		return AVERROR(EINVAL);
	return s->position = offset;
}

// Demuxers may ask for other files (playlists, external tracks). They get none.
static int refuse_open(AVFormatContext *f, AVIOContext **io, const char *url, int flags, AVDictionary **options) {
	(void)f, (void)io, (void)url, (void)flags, (void)options;
	return AVERROR(EPERM);
}

static int is_picture(const AVStream *st) {
	return (st->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS)) != 0;
}

// The default video stream, else the first; covers do not count.
static int choose_stream(AVFormatContext *f, int *refusal) {
	int best = -1, audio = 0, cover = 0;
	for (unsigned i = 0; i < f->nb_streams; i++) {
		AVStream *st = f->streams[i];
		enum AVMediaType type = st->codecpar->codec_type;
		audio |= type == AVMEDIA_TYPE_AUDIO;
		if (type != AVMEDIA_TYPE_VIDEO)
			continue;
		if (is_picture(st)) {
			cover = 1;
			continue;
		}
		int better = (st->disposition & AV_DISPOSITION_DEFAULT) &&
			best >= 0 && !(f->streams[best]->disposition & AV_DISPOSITION_DEFAULT);
		if (best < 0 || better)
			best = i;
	}
	if (best < 0)
		*refusal = cover ? SD_COVER : audio ? SD_AUDIO_ONLY : SD_NO_VIDEO;
	return best;
}

// Side data of a stream moved between versions of the library.
static const uint8_t *side_data(const AVStream *st, enum AVPacketSideDataType type, size_t need) {
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 31, 102)
	const AVPacketSideData *d =
		av_packet_side_data_get(st->codecpar->coded_side_data, st->codecpar->nb_coded_side_data, type);
	return d && d->size >= need ? d->data : NULL;
#else
	size_t size = 0;
	const uint8_t *d = av_stream_get_side_data(st, type, &size);
	return size >= need ? d : NULL;
#endif
}

// The display matrix [a b; c d] sends (x, y) to (a x + c y, b x + d y). Quarter turns and mirrors have one entry of
// about +-1 in each row; anything else is taken for the nearest of them.
static int orientation(const int32_t *m, int *skewed) {
	*skewed = 0;
	if (!m || (!m[0] && !m[1] && !m[3] && !m[4]))
		return 0;
	double a = m[0], b = m[1], c = m[3], d = m[4];
	int transposed = fabs(b) + fabs(c) > fabs(a) + fabs(d);
	double x = transposed ? c : a, y = transposed ? b : d; // where the upright x and y come from
	double off = transposed ? fabs(a) + fabs(d) : fabs(b) + fabs(c);
	*skewed = off > 0.02 * (fabs(x) + fabs(y));
	return (transposed ? 4 : 0) | (y < 0 ? 2 : 0) | (x < 0 ? 1 : 0);
}

static int stream_orientation(const AVStream *st, int *skewed) {
	return orientation((const int32_t *)side_data(st, AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(int32_t)), skewed);
}

// A picture may say its own way up (a camera that is turned writes it into the stream); else the container's counts.
static int frame_orientation(const sd_source *s, const AVFrame *f) {
	const AVFrameSideData *d = av_frame_get_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX);
	int skewed;
	if (d && d->size >= 9 * sizeof(int32_t))
		return orientation((const int32_t *)d->data, &skewed);
	return stream_orientation(s->stream, &skewed);
}

static int is_encrypted(const AVStream *st) {
	return st->codecpar->codec_tag == MKTAG('e', 'n', 'c', 'v') ||
		side_data(st, AV_PKT_DATA_ENCRYPTION_INIT_INFO, 1) != NULL;
}

// The video tracks, as far as there is room for their numbers.
static void list_videos(sd_source *s, sd_info *info) {
	for (unsigned i = 0; i < s->format->nb_streams && info->videos < SD_VIDEOS; i++)
		if (s->format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && !is_picture(s->format->streams[i]))
			info->video[info->videos++] = i;
}

static void describe(sd_source *s, sd_info *info) {
	const AVStream *st = s->stream;
	const AVCodecParameters *p = st->codecpar;
	snprintf(info->format, sizeof info->format, "%s", s->format->iformat->long_name);
	info->stream = st->index;
	AVRational sar = av_guess_sample_aspect_ratio(s->format, s->stream, NULL);
	info->sar_num = sar.num;
	info->sar_den = sar.den;
	info->tb_num = st->time_base.num;
	info->tb_den = st->time_base.den;
	info->rate_num = st->avg_frame_rate.num;
	info->rate_den = st->avg_frame_rate.den;
	info->start_time = s->format->start_time;
	info->duration = s->format->duration;
	if (s->format->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE)
		info->duration = AV_NOPTS_VALUE; // a guess by the file's size
	info->full_range = p->color_range == AVCOL_RANGE_JPEG;
	info->interlaced = p->field_order > AV_FIELD_PROGRESSIVE;
	info->index_entries = avformat_index_get_entries_count(s->stream);
	stream_orientation(st, &info->skewed);
}

static int open_decoder(sd_source *s, int64_t max_pixels, int *refusal) {
	const AVCodec *decoder = avcodec_find_decoder(s->stream->codecpar->codec_id);
	if (!decoder || av_match_list(decoder->name, DECODERS, ',') <= 0) {
		*refusal = SD_CODEC;
		return 0;
	}
	s->codec = avcodec_alloc_context3(decoder);
	s->frame = av_frame_alloc();
	if (!s->codec || !s->frame)
		return AVERROR(ENOMEM);
	int r = avcodec_parameters_to_context(s->codec, s->stream->codecpar);
	if (r < 0)
		return r;
	s->codec->pkt_timebase = s->stream->time_base;
	s->codec->thread_count = 1; // segments run in parallel; threads would cost 4-10 % more CPU (reference/video.md)
	s->codec->max_pixels = max_pixels;
	r = avcodec_open2(s->codec, decoder, NULL);
	return r == AVERROR_DECODER_NOT_FOUND ? (*refusal = SD_CODEC, 0) : r;
}

static int open_format(sd_source *s, const char *demuxer, const char *rate, int64_t max_pixels) {
	const AVInputFormat *input = av_find_input_format(demuxer);
	if (!input)
		return AVERROR_DEMUXER_NOT_FOUND;
	uint8_t *block = av_malloc(READ_BLOCK);
	s->io = avio_alloc_context(block, READ_BLOCK, 0, s, read_block, NULL, seek_to);
	s->format = avformat_alloc_context();
	if (!block || !s->io || !s->format)
		return AVERROR(ENOMEM);
	s->format->pb = s->io;
	s->format->io_open = refuse_open;
	s->format->max_streams = MAX_STREAMS;
	s->format->format_whitelist = av_strdup(demuxer);
	s->format->protocol_whitelist = av_strdup("none");
	s->format->codec_whitelist = av_strdup(DECODERS);
	AVDictionary *options = NULL;
	av_dict_set(&options, "ignore_chapters", "1", 0);
	av_dict_set(&options, "resync_size", RESYNC_BYTES, 0); // of the transport stream's demuxer
	if (*rate)
		av_dict_set(&options, "framerate", rate, 0);
	int r = avformat_open_input(&s->format, NULL, input, &options);
	av_dict_free(&options);
	if (r < 0)
		return r;
	// libav decodes a little to find out what the container does not say: under the same limit of pixels.
	unsigned n = s->format->nb_streams;
	AVDictionary **each = av_calloc(n + 1, sizeof *each);
	if (!each)
		return AVERROR(ENOMEM);
	for (unsigned i = 0; i < n; i++)
		av_dict_set_int(&each[i], "max_pixels", max_pixels, 0);
	r = avformat_find_stream_info(s->format, n ? each : NULL);
	for (unsigned i = 0; i < n; i++)
		av_dict_free(&each[i]);
	av_free(each);
	return r;
}

int sd_open(int fd, uintptr_t needs, int64_t base, int64_t size, const char *demuxer, const char *rate, int64_t max_pixels, int stream, int all,
	sd_source **out, sd_info *info, int *refusal) {
	av_log_set_level(AV_LOG_QUIET);
	sd_source *s = av_mallocz(sizeof *s);
	if (!s)
		return AVERROR(ENOMEM);
	*out = s;
	s->fd = fd;
	s->needs = needs;
	s->base = base;
	s->size = size - base;
	int r = open_format(s, demuxer, rate, max_pixels);
	if (r < 0) {
		if (r == AVERROR(ENOMEM) && s->format && s->format->nb_streams >= MAX_STREAMS)
			return *refusal = SD_STREAMS, 0;
		return r;
	}
	list_videos(s, info);
	if (stream < 0)
		stream = choose_stream(s->format, refusal);
	if (stream < 0)
		return 0;
	if ((unsigned)stream >= s->format->nb_streams)
		return AVERROR_STREAM_NOT_FOUND;
	s->stream = s->format->streams[stream];
	for (unsigned i = 0; i < s->format->nb_streams; i++)
		s->format->streams[i]->discard = (int)i == stream || all ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
	snprintf(info->codec, sizeof info->codec, "%s", avcodec_get_name(s->stream->codecpar->codec_id));
	if (is_encrypted(s->stream)) {
		*refusal = SD_ENCRYPTED;
		return 0;
	}
	info->width = s->stream->codecpar->width;
	info->height = s->stream->codecpar->height;
	if ((r = open_decoder(s, max_pixels, refusal)) < 0 || *refusal)
		return r;
	sd_classify_init(s);
	describe(s, info);
	return 0;
}

void sd_close(sd_source *s) {
	if (!s)
		return;
	sd_draw_close(s);
	av_frame_free(&s->frame);
	avcodec_free_context(&s->codec);
	avformat_close_input(&s->format);
	if (s->io)
		av_freep(&s->io->buffer);
	avio_context_free(&s->io);
	av_free(s);
}

int sd_index_count(sd_source *s) { return avformat_index_get_entries_count(s->stream); }

int sd_index(sd_source *s, int i, int64_t *time, int64_t *pos, int *key) {
	const AVIndexEntry *e = avformat_index_get_entry(s->stream, i);
	if (!e)
		return AVERROR(EINVAL);
	*time = e->timestamp;
	*pos = e->pos;
	*key = (e->flags & AVINDEX_KEYFRAME) && !(e->flags & AVINDEX_DISCARD_FRAME);
	return 0;
}

// Keeps count of the bytes that no packet was made of, and of the end of each stream.
static void account(sd_source *s, const AVPacket *p) {
	if (p->pos >= 0) {
		if (s->reach && p->pos > s->reach)
			s->unread += p->pos - s->reach;
		int64_t begin = p->pos == s->block ? s->reach : p->pos; // of one block may come several packets
		if (begin + p->size > s->reach)
			s->reach = begin + p->size;
		s->block = p->pos;
	}
	int64_t at = p->pts != AV_NOPTS_VALUE ? p->pts : p->dts;
	if (at == AV_NOPTS_VALUE || p->flags & AV_PKT_FLAG_DISCARD)
		return;
	int64_t end = av_rescale_q(av_sat_add64(at, p->duration), s->format->streams[p->stream_index]->time_base, AV_TIME_BASE_Q);
	if (end > s->end)
		s->end = end;
}

void sd_shift(sd_source *s, int64_t ticks) { s->shift = ticks; }
int64_t sd_reach(sd_source *s) { return s->reach; }
int64_t sd_end(sd_source *s) { return s->end; }

int sd_read(sd_source *s, AVPacket **packet, sd_packet *meta) {
	AVPacket *p = av_packet_alloc();
	if (!p)
		return AVERROR(ENOMEM);
	int r;
	while ((r = av_read_frame(s->format, p)) >= 0) {
		account(s, p);
		if (p->stream_index == s->stream->index)
			break;
		av_packet_unref(p);
	}
	if (r < 0) {
		av_packet_free(&p);
		return r;
	}
	*packet = p;
	p->pts = p->pts == AV_NOPTS_VALUE ? p->pts : av_sat_add64(p->pts, s->shift);
	p->dts = p->dts == AV_NOPTS_VALUE ? p->dts : av_sat_add64(p->dts, s->shift);
	memset(meta, 0, sizeof *meta);
	meta->unread = s->unread;
	s->unread = 0;
	meta->pts = p->pts;
	meta->dts = p->dts;
	meta->pos = p->pos;
	meta->duration = p->duration;
	meta->size = p->size;
	meta->key = (p->flags & AV_PKT_FLAG_KEY) != 0;
	meta->discard = (p->flags & AV_PKT_FLAG_DISCARD) != 0;
	meta->corrupt = (p->flags & AV_PKT_FLAG_CORRUPT) != 0;
	sd_classify(s, p, meta);
	return 0;
}

void sd_free(AVPacket *packet) { av_packet_free(&packet); }

int sd_seek(sd_source *s, int64_t time, int64_t pos, int by_byte) {
	s->read_error = 0;
	s->reach = s->unread = 0;
	s->block = -1;
	avcodec_flush_buffers(s->codec);
	if (by_byte)
		return av_seek_frame(s->format, s->stream->index, pos, AVSEEK_FLAG_BYTE);
	return av_seek_frame(s->format, s->stream->index, time, AVSEEK_FLAG_BACKWARD);
}

int sd_read_error(sd_source *s) { return s->read_error; }

int sd_send(sd_source *s, AVPacket *packet) { return avcodec_send_packet(s->codec, packet); }

void sd_reset(sd_source *s) { avcodec_flush_buffers(s->codec); }

static int colour_matrix(const AVFrame *f) {
	switch (f->colorspace) {
	case AVCOL_SPC_BT470BG:
	case AVCOL_SPC_SMPTE170M:
	case AVCOL_SPC_FCC: return 0;
	case AVCOL_SPC_BT709: return 1;
	case AVCOL_SPC_BT2020_NCL:
	case AVCOL_SPC_BT2020_CL: return 2;
	default: return f->height < 720 ? 0 : 1; // untagged: by height, as players do
	}
}

int sd_receive(sd_source *s, sd_frame *meta) {
	int r = avcodec_receive_frame(s->codec, s->frame);
	if (r < 0)
		return r;
	AVFrame *f = s->frame;
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
	AVRational sar = av_guess_sample_aspect_ratio(s->format, s->stream, f);
	memset(meta, 0, sizeof *meta);
	meta->pts = f->pts;
	meta->best = f->best_effort_timestamp;
	meta->width = f->width;
	meta->height = f->height;
	meta->sar_num = sar.num;
	meta->sar_den = sar.den;
	meta->interlaced = sd_is_interlaced(f);
	meta->full_range = sd_is_full_range(f);
	meta->matrix = sd_has_rgb(f) ? 0 : colour_matrix(f);
	meta->deep = d && d->comp[0].depth > 8;
	meta->orientation = frame_orientation(s, f);
	meta->concealed = f->decode_error_flags != 0;
	return 0;
}

void sd_error(int code, char *text, int size) { av_strerror(code, text, size); }
int sd_is_eof(int code) { return code == AVERROR_EOF; }
int sd_is_again(int code) { return code == AVERROR(EAGAIN); }
int sd_is_memory(int code) { return code == AVERROR(ENOMEM); }

void sd_versions(char *text, int size) {
	unsigned f = avformat_version(), c = avcodec_version(), w = swscale_version();
	snprintf(text, size, "libavformat %u.%u.%u, libavcodec %u.%u.%u, libswscale %u.%u.%u", AV_VERSION_MAJOR(f),
		AV_VERSION_MINOR(f), AV_VERSION_MICRO(f), AV_VERSION_MAJOR(c), AV_VERSION_MINOR(c), AV_VERSION_MICRO(c),
		AV_VERSION_MAJOR(w), AV_VERSION_MINOR(w), AV_VERSION_MICRO(w));
}
