package packbuild

import "github.com/spotter-video/spotter/internal/recognizer"

// attributes describes the models that tell what a face looks like. The measurements are those of
// docs/decisions/0003-default-pack.md.
func attributes() *recognizer.AttributesSpec {
	return &recognizer.AttributesSpec{AgeGender: ageGender(), Expressions: expressions(), Eyes: eyes()}
}

// networkLook is how both networks of face-api want to see a face. Of squares of 0.8 to 1.4 box heights, 0.9 gave the
// best gender (96.8 % of 1,918 photos of LFW) and the steadiest age of one person.
func networkLook(kind, file, source string) recognizer.LookSpec {
	return recognizer.LookSpec{
		Kind: kind, File: file, Side: 0.9, Temperature: 1, Source: source,
		Input: recognizer.InputSpec{Name: networkInput, Colours: "RGB", Mean: 0, Scale: 1, Width: networkSide, Height: networkSide},
	}
}

func ageGender() *recognizer.AgeGenderSpec {
	return &recognizer.AgeGenderSpec{
		LookSpec: networkLook("age-gender", ageGenderFile, "age errors: the tests of the network's author (face-api.js, README); "+
			"temperature: LFW, where the network is less sure of the gender than it is right"),
		Age: ageOutput, Gender: genderOutput,
		AgeErrors: []recognizer.AgeErrorSpec{
			{From: 0, Years: 1.52},
			{From: 4, Years: 3.06},
			{From: 9, Years: 4.82},
			{From: 19, Years: 4.99},
			{From: 29, Years: 5.43},
			{From: 41, Years: 4.94},
			{From: 60, Years: 6.17},
			{From: 80, Years: 9.91},
		},
	}
}

func expressions() *recognizer.ExpressionsSpec {
	s := networkLook("expressions", expressionFile, "96 photos of LFW, looked at in steps of the odds of HAPPY")
	s.Temperature = 2
	return &recognizer.ExpressionsSpec{LookSpec: s, Output: expressionOutput, Emotions: expressionOrder(), SmileOdds: 2}
}

// eyes is shown a square of 1.6 eye widths, as the package of the model does.
func eyes() *recognizer.EyesSpec {
	return &recognizer.EyesSpec{
		LookSpec: recognizer.LookSpec{
			Kind: "eye-state", File: eyesFile, Side: 1.6, Temperature: 2,
			Input:  recognizer.InputSpec{Name: "input", Colours: "grey", Mean: 0, Scale: 1.0 / 255, Width: 24, Height: 24},
			Source: "240 photos of LFW, looked at in steps of the difference of the figures",
		},
		Output: "output", ClosedOdds: 5,
	}
}
