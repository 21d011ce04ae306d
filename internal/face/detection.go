package face

// Detection is one face found in one picture.
type Detection struct {
	Box       Box
	Landmarks Landmarks
	// Confidence that this is a face, 0..100 percent.
	Confidence float32
	Pose       Pose
	Quality    Quality
}

// Pose is how the head is turned, in degrees -180..180, with Rekognition's signs: Roll is positive when the face leans
// clockwise as the viewer sees it, Yaw is positive when it looks to the viewer's right, Pitch when it looks up.
type Pose struct{ Roll, Yaw, Pitch float32 }

// Quality says how well a face can be seen: brightness and sharpness of its pixels, 0..100 each.
type Quality struct{ Brightness, Sharpness float32 }

// CropSide is the side in pixels of an aligned face crop, the input of ArcFace-type embedders.
const CropSide = 112

// Crop is a face turned upright and scaled so that its five landmarks lie on the embedder's template: CropSide x
// CropSide pixels, interleaved 8-bit RGB, row by row from the top.
type Crop [CropSide * CropSide * 3]byte
