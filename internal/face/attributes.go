package face

// Attributes are what a face looks like, as far as a model pack can say. What it cannot say is nil.
type Attributes struct {
	Age       *AgeRange
	Gender    *Gender
	Smile     *Trait
	EyesOpen  *Trait
	MouthOpen *Trait
	// Emotions are sorted by confidence, highest first; nil where they are not known.
	Emotions []Emotion
	// Further are the landmarks beside the five; nil where there are none.
	Further *FurtherLandmarks
}

// AgeRange is the span of years that somebody's age is likely to lie in, both inclusive.
type AgeRange struct{ Low, High int }

// Gender is what a face looks like to the model, with its confidence in percent. It says nothing about who somebody is.
type Gender struct {
	Female     bool
	Confidence float32
}

// Trait is something that a face shows or not, with the confidence of that answer in percent.
type Trait struct {
	Value      bool
	Confidence float32
}

// EmotionType is what a face expresses.
type EmotionType string

// The emotions, in the words of Rekognition's models.
const (
	Happy     EmotionType = "HAPPY"
	Sad       EmotionType = "SAD"
	Angry     EmotionType = "ANGRY"
	Disgusted EmotionType = "DISGUSTED"
	Surprised EmotionType = "SURPRISED"
	Calm      EmotionType = "CALM"
	Fear      EmotionType = "FEAR"
)

// Emotion is what a face expresses, with the confidence in percent.
type Emotion struct {
	Type       EmotionType
	Confidence float32
}

// FurtherLandmarks are the points of a face beside its five [Landmarks], in ratios of the picture and in the order of
// [FurtherLandmarkNames].
type FurtherLandmarks [23]Point

// FurtherLandmarkNames are Rekognition's names, in the order of its documentation; left is the viewer's. There are no pupils:
// the points of which these are made outline the eye and do not say where it looks.
func FurtherLandmarkNames() [len(FurtherLandmarks{})]string {
	return [...]string{
		"leftEyeBrowLeft", "leftEyeBrowRight", "leftEyeBrowUp", "rightEyeBrowLeft", "rightEyeBrowRight", "rightEyeBrowUp",
		"leftEyeLeft", "leftEyeRight", "leftEyeUp", "leftEyeDown", "rightEyeLeft", "rightEyeRight", "rightEyeUp", "rightEyeDown",
		"noseLeft", "noseRight", "mouthUp", "mouthDown",
		"upperJawlineLeft", "midJawlineLeft", "chinBottom", "midJawlineRight", "upperJawlineRight",
	}
}
