package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/spotter-video/spotter/internal/face"
)

// rate is how many frames a second all peers look at, and columns the long side of what the loop's detector sees.
const rate, columns = 5, 640

// decode gives the frames of a video. A frame is valid until the next one.
//
// ffmpeg writes planes of YUV. The small picture comes below the full one, padded to its width, so that both are parts of one
// picture and no two pipes wait for each other.
func decode(ctx context.Context, video string, give func(*face.Frame) error) error {
	s, err := probe(ctx, video)
	if err != nil {
		return err
	}
	small := s.within(columns)
	filter := fmt.Sprintf("setpts=PTS-STARTPTS,fps=%d,scale=%d:%d,format=yuv420p", rate, s.Width, s.Height)
	height := s.Height
	if small != s {
		height += small.Height
		filter += fmt.Sprintf(",split[f][s];[s]scale=%d:%d,pad=%d:%d[p];[f][p]vstack", small.Width, small.Height, s.Width, small.Height)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	//nolint:gosec // our own arguments
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-nostdin", "-noautorotate", "-i", video,
		"-filter_complex", filter, "-an", "-fps_mode", "passthrough", "-f", "rawvideo", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err = cmd.Start(); err != nil {
		return err
	}
	if err = read(out, s, small, height, give); err != nil {
		cancel() // it would wait for somebody to read on
	}
	return errors.Join(err, cmd.Wait())
}

func read(r io.Reader, s, small size, height int, give func(*face.Frame) error) error {
	in := bufio.NewReader(r)
	pixels := make([]byte, s.Width*height*3/2)
	luma, chroma := s.Width*height, s.Width*height/4
	whole := face.Picture{
		Width: s.Width, Height: height, Layout: face.I420, Matrix: s.matrix(), Strides: [3]int{s.Width, s.Width / 2, s.Width / 2},
		Planes: [3][]byte{pixels[:luma], pixels[luma : luma+chroma], pixels[luma+chroma:]},
	}
	f := face.Frame{Full: whole.Part(0, 0, s.Width, s.Height)}
	f.Small = f.Full
	if height > s.Height {
		f.Small = whole.Part(0, s.Height, small.Width, small.Height)
	}
	for n := 0; ; n++ {
		if _, err := io.ReadFull(in, pixels); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		f.Time = time.Duration(n) * time.Second / rate
		if err := give(&f); err != nil {
			return err
		}
	}
}

// size is a picture's, in pixels, both even as YUV 4:2:0 wants it.
type size struct {
	Width, Height int
	Space         string `json:"color_space"`
}

func probe(ctx context.Context, video string) (size, error) {
	//nolint:gosec // our own arguments
	raw, err := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries",
		"stream=width,height,color_space", "-of", "json", video).Output()
	if err != nil {
		return size{}, fmt.Errorf("probe %s: %w", video, err)
	}
	var answer struct{ Streams []size }
	if err := json.Unmarshal(raw, &answer); err != nil {
		return size{}, fmt.Errorf("probe %s: %w", video, err)
	}
	if len(answer.Streams) == 0 || answer.Streams[0].Width < 2 || answer.Streams[0].Height < 2 {
		return size{}, fmt.Errorf("probe %s: no pictures", video)
	}
	s := answer.Streams[0]
	s.Width, s.Height = s.Width&^1, s.Height&^1
	return s, nil
}

// within is the size reduced so that the long side is at most so long.
func (s size) within(long int) size {
	most := max(s.Width, s.Height)
	if most <= long {
		return s
	}
	s.Width, s.Height = max(s.Width*long/most&^1, 2), max(s.Height*long/most&^1, 2)
	return s
}

// matrix is what the pixels mean: what the file says, or what is usual for its size.
func (s size) matrix() face.ColorMatrix {
	if s.Space == "bt709" || s.Space == "unknown" && s.Height >= 720 || s.Space == "" && s.Height >= 720 {
		return face.BT709
	}
	return face.BT601
}
