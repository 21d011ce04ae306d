package video

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// exactCases are videos of every kind that is decoded. plain marks those whose pictures reach us unchanged, so that
// ffmpeg's own decoding can be compared sample by sample.
var exactCases = []struct {
	name, file, args string
	plain            bool
	segments         int // how many a spacing of a second gives; 0 does not matter, -1 even 30 s give several
}{
	{"H.264 with B pyramid", "b.mp4", "@pattern -c:v libx264 -preset fast -g 25 -bf 3", true, 4},
	{"H.264 without B", "nob.mp4", "@pattern -c:v libx264 -preset fast -g 25 -bf 0", true, 4},
	{"H.264 one long group", "long.mp4", "@pattern -c:v libx264 -preset fast -g 500 -sc_threshold 0", true, 1},
	{"H.264 open GOP", "open.mp4", "@pattern -c:v libx264 -x264-params open-gop=1:keyint=25:min-keyint=25:scenecut=0:bframes=3", true, 4},
	{"H.264 irregular keyframes", "irregular.mp4", "@pattern -c:v libx264 -g 17 -force_key_frames 0.4,0.9,1.0,2.52", true, 0},
	{"H.264 VFR", "vfr.mp4", "@pattern -vf select='lt(n,30)+not(mod(n,7))' -fps_mode vfr -c:v libx264 -g 20 -bf 2", true, 0},
	{"H.264 hole of time", "hole.mp4", "@pattern -vf setpts='PTS+if(gt(N,50),3600/TB,0)' -fps_mode vfr -c:v libx264 -g 25 -bf 2", true, -1},
	{"H.264 Matroska", "b.mkv", "@pattern -c:v libx264 -g 25 -bf 3", true, 4},
	{"H.264 transport stream", "b.ts", "@pattern -c:v libx264 -g 25 -bf 3", true, 4},
	{"H.264 open GOP transport stream", "open.ts", "@pattern -c:v libx264 -x264-params open-gop=1:keyint=25:min-keyint=25:scenecut=0:bframes=3", true, 4},
	{"H.264 gradual refresh", "refresh.ts", "@pattern -c:v libx264 -x264-params intra-refresh=1:keyint=25:bframes=0", true, 1},
	{"H.264 AVI without times", "b.avi", "@pattern -c:v libx264 -g 25 -bf 3", false, 0},
	{"H.264 fragmented", "frag.mp4", "@pattern -c:v libx264 -g 25 -bf 2 -movflags frag_keyframe+empty_moov", true, 4},
	{"H.264 interlaced", "interlaced.mp4", "@pattern -c:v libx264 -flags +ildct+ilme -x264opts tff=1 -g 25 -bf 2", false, 4},
	{"H.264 10 bit", "deep.mp4", "@pattern -c:v libx264 -pix_fmt yuv420p10le -g 25 -bf 2", false, 4},
	{"H.264 4:4:4", "444.mp4", "@pattern -c:v libx264 -pix_fmt yuv444p -g 25 -bf 2", false, 4},
	{"H.264 start offset", "offset.mp4", "@pattern -c:v libx264 -g 25 -bf 2 -output_ts_offset 5", true, 4},
	{"H.264 start offset TS", "offset.ts", "@pattern -c:v libx264 -g 25 -bf 2 -output_ts_offset 95440", false, 4},
	{"HEVC", "b.hevc.mp4", "@pattern -c:v libx265 -x265-params log-level=none:keyint=25:min-keyint=25:open-gop=0:bframes=4", true, 4},
	{"HEVC open GOP", "open.hevc.mp4", "@pattern -c:v libx265 -x265-params log-level=none:keyint=25:min-keyint=25:scenecut=0:open-gop=1:bframes=4", true, 4},
	{"HEVC open GOP TS", "open.hevc.ts", "@pattern -c:v libx265 -x265-params log-level=none:keyint=25:min-keyint=25:scenecut=0:open-gop=1:bframes=4", true, 4},
	{"HEVC layers", "layers.hevc.mkv", "@pattern -c:v libx265 -x265-params log-level=none:keyint=25:min-keyint=25:bframes=4:b-pyramid=1:temporal-layers=1", true, 0},
	{"VP8", "vp8.webm", "@pattern -c:v libvpx -g 25 -deadline realtime -cpu-used 8", true, 4},
	{"VP9", "vp9.webm", "@pattern -c:v libvpx-vp9 -g 25 -auto-alt-ref 1 -lag-in-frames 12 -deadline realtime -cpu-used 8", true, 4},
	{"AV1", "av1.mp4", "@pattern -c:v libsvtav1 -preset 12 -g 25", true, 0},
	{"MPEG-2 TS", "mpeg2.ts", "@pattern -c:v mpeg2video -g 12 -bf 2 -b:v 1M", true, 0},
	{"MPEG-4 AVI", "mpeg4.avi", "@pattern -c:v mpeg4 -g 25 -bf 0 -q:v 4", true, 4},
	{"MPEG-4 AVI with B", "mpeg4b.avi", "@pattern -c:v mpeg4 -g 25 -bf 2 -q:v 4", false, 0},
	{"MPEG-4 MP4 with B", "mpeg4b.mp4", "@pattern -c:v mpeg4 -g 25 -bf 2 -q:v 4", true, 0},
	{"MJPEG", "mjpeg.mov", "@pattern -c:v mjpeg -q:v 4", false, 5},
	{"ProRes", "prores.mov", "@pattern -c:v prores -profile:v 0", false, 5},
	{"full range", "range.mp4", "@pattern -vf scale=out_range=pc -pix_fmt yuvj420p -c:v libx264 -g 25", false, 4},
	{"stretched pixels", "sar.mp4", "@pattern -vf setsar=16/11 -c:v libx264 -g 25", false, 4},
	{"odd size", "odd.mkv", "@pattern161x119 -c:v libvpx-vp9 -g 25 -deadline realtime -cpu-used 8", true, 4},
}

// TestFramesAreExact proves, for every kind of video, that decoding everything gives ffmpeg's frames and times, that
// planned decoding gives some of the very same, and that cutting into segments, or having the file in parts only, changes nothing.
func TestFramesAreExact(t *testing.T) {
	t.Parallel()
	whole, cut := newDecoder(t), newDecoder(t, segmentsOf(time.Second))
	for _, c := range exactCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := media(t, c.file, c.args)
			f := open(t, path)
			one, many := plan(t, whole, f), plan(t, cut, f)
			if (len(one.Segments) != 1 && c.segments >= 0) || (c.segments > 0 && len(many.Segments) != c.segments) {
				t.Errorf("%d and %d segments, want 1 and %d", len(one.Segments), len(many.Segments), c.segments)
			}
			all, _ := watch(t, whole, f, one, StreamOptions{})
			if c.plain {
				sameAsReference(t, path, all)
			} else if len(all) < 30 {
				t.Errorf("only %d frames", len(all))
			}
			allCut, _ := watch(t, cut, f, many, StreamOptions{Lookahead: 3})
			same(t, "all frames, cut", allCut, all)
			for _, rate := range []float64{3.7} {
				some, stats := watch(t, whole, f, one, StreamOptions{SampleRate: rate})
				subset(t, some, all)
				spread(t, some, all, rate)
				if stats[0].Decoded > stats[0].Sent || stats[0].Sent > stats[0].Packets {
					t.Errorf("stats %+v", stats[0])
				}
				someCut, _ := watch(t, cut, f, many, StreamOptions{SampleRate: rate, Lookahead: 2})
				same(t, "sampled frames, cut", someCut, some)
				again, parts := fetched(t, cut, path, StreamOptions{SampleRate: rate, Lookahead: 2})
				if diff := cmp.Diff(many, again); diff != "" {
					t.Errorf("planned in parts: %s", diff)
				}
				same(t, "sampled frames, in parts", parts, some)
			}
		})
	}
}

func sameAsReference(t *testing.T, path string, all []shot) {
	t.Helper()
	want := reference(t, path)
	if filepath := path; len(want) > 0 && filepath[len(filepath)-3:] == ".ts" {
		origin := want[0].time - all[0].time // a transport stream's clock starts anywhere
		for i := range want {
			want[i].time -= origin
		}
	}
	if len(all) != len(want) {
		t.Fatalf("%d frames, ffmpeg has %d", len(all), len(want))
	}
	for i := range want {
		if off := all[i].time - want[i].time; off.Abs() > time.Microsecond || all[i].full != want[i].full {
			t.Fatalf("frame %d is %v %s, ffmpeg has %v %s", i, all[i].time, all[i].full, want[i].time, want[i].full)
		}
	}
}

func same(t *testing.T, what string, have, want []shot) {
	t.Helper()
	if diff := cmp.Diff(want, have, cmp.AllowUnexported(shot{})); diff != "" {
		t.Fatalf("%s: %d frames, want %d\n%s", what, len(have), len(want), diff[:min(len(diff), 1500)])
	}
}

func subset(t *testing.T, some, all []shot) {
	t.Helper()
	for i, s := range some {
		if !slices.Contains(all, s) {
			t.Fatalf("sampled frame %d at %v is none of the video's", i, s.time)
		}
	}
}

// spread checks that a frame lies near every grid point near which the video has one.
func spread(t *testing.T, some, all []shot, rate float64) {
	t.Helper()
	step := time.Duration(float64(time.Second) / rate)
	for _, a := range all {
		near := slices.ContainsFunc(some, func(s shot) bool { return (s.time - a.time).Abs() <= step*3/2 })
		if !near {
			t.Fatalf("no frame was chosen within %v of %v", step*3/2, a.time)
		}
	}
	if most := int(float64(all[len(all)-1].time-all[0].time)/float64(step)) + 2; len(some) > most {
		t.Fatalf("%d frames chosen, want at most %d", len(some), most)
	}
}

// TestShortMemory plans groups with room for a few packets only: frames stay exact and do not depend on cuts.
func TestShortMemory(t *testing.T) {
	t.Parallel()
	few := func(c *Config) { c.Limits.GOPPackets = 7 }
	whole, cut := newDecoder(t, few), newDecoder(t, few, segmentsOf(time.Second))
	for _, c := range []struct{ file, args string }{
		{"b.mp4", "@pattern -c:v libx264 -g 25 -bf 3"},
		{"long.mkv", "@pattern -c:v libx264 -g 500 -bf 5 -sc_threshold 0"},
		{"open.ts", "@pattern -c:v libx264 -x264-params open-gop=1:keyint=25:min-keyint=25:scenecut=0:bframes=3"},
		{"b.hevc.mp4", "@pattern -c:v libx265 -x265-params log-level=none:keyint=25:min-keyint=25:open-gop=1:bframes=4"},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			f := open(t, media(t, c.file, c.args))
			one, many := plan(t, whole, f), plan(t, cut, f)
			all, _ := watch(t, whole, f, one, StreamOptions{})
			if len(all) != 100 {
				t.Errorf("%d frames, want 100", len(all))
			}
			some, _ := watch(t, whole, f, one, StreamOptions{SampleRate: 5})
			subset(t, some, all)
			spread(t, some, all, 5)
			someCut, _ := watch(t, cut, f, many, StreamOptions{SampleRate: 5})
			same(t, "sampled frames, cut", someCut, some)
		})
	}
}
