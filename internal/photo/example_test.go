package photo_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spotter-video/spotter/internal/photo"
)

func ExampleDecode() {
	data, err := os.ReadFile("testdata/progressive-2x2.jpg")
	if err != nil {
		fmt.Println(err)
		return
	}
	picture, err := photo.Decode(bytes.NewReader(data), photo.DefaultLimits())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(picture.Width, picture.Height)

	_, err = photo.Decode(strings.NewReader("GIF89a..."), photo.DefaultLimits())
	if refusal, ok := errors.AsType[*photo.Error](err); ok {
		fmt.Println(refusal.Kind, "-", refusal)
	}
	// Output:
	// 96 80
	// format - this is a GIF image; Spotter reads JPEG and PNG photos: convert it, for example with: ffmpeg -i photo.gif -frames:v 1 photo.png
}
