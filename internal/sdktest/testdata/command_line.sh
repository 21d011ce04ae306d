#!/bin/sh
# Drives Spotter with AWS's command line, as a person would. It is run by the Go tests, which name the server in the
# environment, and ends with an error where an answer is not the expected one.
set -eu

rekognition() { "$AWS" --endpoint-url "$ENDPOINT" rekognition "$@"; }
same() { [ "$1" = "$2" ] || { printf 'got  %s\nwant %s\n' "$1" "$2" >&2; exit 1; }; }

# refused TEXT COMMAND...: where the service says no, version 2 of the command line ends with the status 254 and version 1 with
# 255.
refused() {
  text=$1
  shift
  status=0
  said=$(rekognition "$@" 2>&1) || status=$?
  [ "$status" = 255 ] || same "$status" 254
  same "$(printf '%s' "$said" | tr -d '\n')" "$text"
}

same "$(rekognition create-collection --collection-id "$COLLECTION" --query StatusCode)" 200
refused "An error occurred (ResourceAlreadyExistsException) when calling the CreateCollection operation: \
The collection id: $COLLECTION already exists." create-collection --collection-id "$COLLECTION"

same "$(rekognition index-faces --collection-id "$COLLECTION" --image-bytes "fileb://$BUCKET/people/ANNA/green.jpg" \
  --external-image-id anna --detection-attributes ALL --query 'FaceRecords[0].FaceDetail.Gender.Value' --output text)" Female
rekognition index-faces --collection-id "$COLLECTION" --image 'S3Object={Bucket=archive,Name=people/DORA/red.jpg}' \
  --external-image-id dora >/dev/null
# The command line reads all pages by itself.
same "$(rekognition list-faces --collection-id "$COLLECTION" --page-size 1 --query 'length(Faces)')" 2

job=$(rekognition start-face-search --collection-id "$COLLECTION" --video 'S3Object={Bucket=archive,Name=clip.mp4}' \
  --face-match-threshold 85.5 --query JobId --output text)
status=IN_PROGRESS
while [ "$status" = IN_PROGRESS ]; do
  status=$(rekognition get-face-search --job-id "$job" --query JobStatus --output text)
done
same "$status" SUCCEEDED
same "$(rekognition get-face-search --job-id "$job" --sort-by INDEX \
  --query 'Persons[].FaceMatches[0].Face.ExternalImageId' --output text | tr '\t' '\n' | sort -u | tr '\n' ' ')" "anna dora "

refused "An error occurred (InvalidS3ObjectException) when calling the StartFaceSearch operation: \
Unable to get object metadata from S3. Check object key, region and/or access permissions." \
  start-face-search --collection-id "$COLLECTION" --video 'S3Object={Bucket=archive,Name=none.mp4}'
rekognition delete-collection --collection-id "$COLLECTION" >/dev/null
refused "An error occurred (ResourceNotFoundException) when calling the DescribeCollection operation: \
Collection:$COLLECTION not found!" describe-collection --collection-id "$COLLECTION"
