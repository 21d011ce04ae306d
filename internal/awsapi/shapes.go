package awsapi

// FaceSearchDocument is the GetFaceSearch response. Members that only a server knows (JobId, NextToken, Video, JobTag)
// are absent.
type FaceSearchDocument struct {
	JobStatus     JobStatus
	StatusMessage string `json:",omitempty"`
	VideoMetadata VideoMetadata
	// Persons are the sightings. Never null.
	Persons []PersonMatch
}

// JobStatus says how far an asynchronous operation is (shape VideoJobStatus).
type JobStatus string

// The values of [JobStatus].
const (
	InProgress JobStatus = "IN_PROGRESS"
	Succeeded  JobStatus = "SUCCEEDED"
	Failed     JobStatus = "FAILED"
)

// VideoMetadata describes the video. Members of a video that could not be read are absent, as AWS leaves them out.
type VideoMetadata struct {
	Codec          string  `json:",omitempty"`
	DurationMillis int64   `json:",omitempty"`
	Format         string  `json:",omitempty"`
	FrameRate      float32 `json:",omitempty"`
	FrameHeight    int     `json:",omitempty"`
	FrameWidth     int     `json:",omitempty"`
	ColorRange     string  `json:",omitempty"` // FULL or LIMITED
}

// PersonMatch is one face at one time.
type PersonMatch struct {
	Timestamp int64 // milliseconds from the start of the video
	Person    PersonDetail
	// FaceMatches are sorted by similarity, highest first. Never null: an empty list says that nobody matches.
	FaceMatches []FaceMatch
}

// PersonDetail is a person of the video.
type PersonDetail struct {
	Index int // numbers the persons of the video from 0
	// BoundingBox is the face's: Spotter does not look for bodies.
	BoundingBox BoundingBox
	Face        FaceDetail
}

// BoundingBox is in ratios of the picture's width and height, origin top-left.
type BoundingBox struct{ Width, Height, Left, Top float32 }

// FaceDetail is a face as it was detected, with AWS's default attributes.
type FaceDetail struct {
	BoundingBox BoundingBox
	Landmarks   []Landmark
	Pose        Pose
	Quality     ImageQuality
	Confidence  float32 // percent
}

// Landmark is one point of a face, in ratios of the picture's width and height.
type Landmark struct {
	Type string
	X, Y float32
}

// Pose is how the head is turned, in degrees -180..180.
type Pose struct{ Roll, Yaw, Pitch float32 }

// ImageQuality says how well the face can be seen, 0..100 each.
type ImageQuality struct{ Brightness, Sharpness float32 }

// FaceMatch is an enrolled face and how similar it is.
type FaceMatch struct {
	Similarity float32 // percent
	Face       Face
}

// Face is an enrolled face.
type Face struct {
	FaceID          string       `json:"FaceId"`
	BoundingBox     *BoundingBox `json:",omitempty"`
	ImageID         string       `json:"ImageId,omitempty"`
	ExternalImageID string       `json:"ExternalImageId,omitempty"`
	Confidence      *float32     `json:",omitempty"`
}
