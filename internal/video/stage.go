package video

// StageCommand is the argument that makes spotter-decode, or spotter itself, a stage: see [StageMain].
const StageCommand = "video-stage"

// StageMain is temporary until the stage is written below.
func StageMain(args []string) int { return 2 }
