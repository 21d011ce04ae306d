package video

import "context"

func (d *Decoder) planTool(ctx context.Context, in *input) (*Plan, error) {
	return nil, fail(Unavailable, nil, "There is no decoder.")
}

func (d *Decoder) openTool(ctx context.Context, in *input, plan *Plan, seg *Segment, o StreamOptions) (frameSource, error) {
	return nil, fail(Unavailable, nil, "There is no decoder.")
}
