package video

func liar(string) int { return 0 }
