"""Drives Spotter with boto3, as an application would. It is run by the Go tests, which name the server in the environment,
and ends with an error where an answer is not the expected one."""

import os
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

collection, bucket = os.environ["COLLECTION"], os.environ["BUCKET"]
client = boto3.client(
    "rekognition",
    endpoint_url=os.environ["ENDPOINT"],
    region_name="us-east-1",
    config=Config(retries={"max_attempts": 0}),
)
errors = client.exceptions


def stored(name):
    return {"S3Object": {"Bucket": "archive", "Name": name}}


def refused(error, message, call, **arguments):
    try:
        call(**arguments)
    except error as e:
        answer = e.response
        assert answer["Error"]["Message"] == message, answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400, answer
        return answer["Error"]["Code"]
    raise AssertionError("not refused: " + message)


made = client.create_collection(CollectionId=collection)
assert made["StatusCode"] == 200 and made["CollectionArn"].endswith(":collection/" + collection), made
assert len(made["ResponseMetadata"]["RequestId"]) == 36, made
refused(
    errors.ResourceAlreadyExistsException,
    "The collection id: %s already exists." % collection,
    client.create_collection,
    CollectionId=collection,
)

with open(bucket + "/people/ANNA/green.jpg", "rb") as photo:
    anna = photo.read()
indexed = client.index_faces(CollectionId=collection, Image={"Bytes": anna}, ExternalImageId="anna")
assert len(indexed["FaceRecords"]) == 1 and "UnindexedFaces" in indexed, indexed
client.index_faces(CollectionId=collection, Image=stored("people/DORA/red.jpg"), ExternalImageId="dora")

pages = client.get_paginator("list_faces").paginate(CollectionId=collection, PaginationConfig={"PageSize": 1})
names = [face["ExternalImageId"] for page in pages for face in page["Faces"]]
assert sorted(names) == ["anna", "dora"], names
ids = client.get_paginator("list_collections").paginate().build_full_result()["CollectionIds"]
assert collection in ids, ids

found = client.search_faces_by_image(CollectionId=collection, Image={"Bytes": anna})
assert [m["Face"]["ExternalImageId"] for m in found["FaceMatches"]] == ["anna"], found

job = client.start_face_search(CollectionId=collection, Video=stored("clip.mp4"), JobTag="boto3")["JobId"]
while True:
    answer = client.get_face_search(JobId=job, SortBy="INDEX")
    if answer["JobStatus"] != "IN_PROGRESS":
        break
    time.sleep(0.1)
assert answer["JobStatus"] == "SUCCEEDED" and answer["VideoMetadata"]["Codec"] == "h264", answer
seen, token = set(), ""
while True:  # as AWS's own samples do
    answer = client.get_face_search(JobId=job, MaxResults=20, NextToken=token)
    for person in answer["Persons"]:
        seen.update(match["Face"]["ExternalImageId"] for match in person["FaceMatches"])
    if "NextToken" not in answer:
        break
    token = answer["NextToken"]
assert seen == {"anna", "dora"}, seen

refused(
    errors.InvalidS3ObjectException,
    "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
    client.start_face_search,
    CollectionId=collection,
    Video=stored("none.mp4"),
)
refused(
    errors.InvalidParameterException,
    "There are no faces in the image. Should be at least 1.",
    client.search_faces_by_image,
    CollectionId=collection,
    Image=stored("blank.jpg"),
)
refused(errors.InvalidPaginationTokenException, "Invalid Pagination Token", client.get_face_search, JobId=job, NextToken="x")
code = refused(
    ClientError,
    "1 validation error detected: Value 'bad id!' at 'collectionId' failed to satisfy constraint: "
    r"Member must satisfy regular expression pattern: [a-zA-Z0-9_.\-]+",
    client.create_collection,
    CollectionId="bad id!",
)
assert code == "ValidationException", code

assert client.delete_collection(CollectionId=collection)["StatusCode"] == 200
refused(
    errors.ResourceNotFoundException,
    "Collection:%s not found!" % collection,
    client.describe_collection,
    CollectionId=collection,
)
