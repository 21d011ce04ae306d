// Speed measures what a face search costs, as ratios within one run: the processor and wall time of spotter search to
// those of merely decoding the same clip with ffmpeg -i clip -f null -.
//
//	go run ./bench/speed                      # 1080p to 360p, with and without B-frames
//	go run ./bench/speed --memory             # peak memory for 10 and 60 minutes
//	go run ./bench/speed --profile            # where the time goes
//
// The clips are made from the evaluation data, looped and encoded anew; the people enrolled are the evaluation set's. The
// photos of these are looked at once and remembered, as for any user who searches twice. The programs take turns, so that a
// machine that changes its speed changes both; medians of the rounds are
// printed.
package main
