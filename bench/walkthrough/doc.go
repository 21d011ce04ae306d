// Walkthrough goes the whole way of Amazon's guide to stored video once, on this machine: a collection, photos and a video in
// S3, a search, the message in a queue, the result page by page, and who is seen when.
//
//	go run ./bench/walkthrough        # or: make walkthrough
//
// It starts a real S3 server, a server of SNS and SQS and bin/spotter serve on free ports of loopback, with everything that
// they store in a temporary folder, runs walkthrough.py against them, and takes everything down again, also after a failure
// and after Ctrl-C. The script makes boto3's calls and knows nothing of Spotter: it is what code for AWS looks like.
package main
