"""Who is seen in a stored video, and when: the way of Amazon's Rekognition guide, with boto3 and nothing else.

    python3 walkthrough.py PEOPLE VIDEO        # a folder with a photo or a folder of photos a person; an MP4 file

Nothing here knows of Spotter. What differs from code for AWS are the endpoints below: with none of the four variables
set, the same calls go to AWS (and ROLE_ARN has to name a role that may publish to the topic). boto3 1.28 and newer find
these variables by themselves; the dictionary is for those before.
"""

import contextlib
import itertools
import json
import os
import sys
import time
import uuid
from pathlib import Path

import boto3

ENDPOINTS = {
    "rekognition": os.environ.get("AWS_ENDPOINT_URL_REKOGNITION"),  # None is AWS
    "s3": os.environ.get("AWS_ENDPOINT_URL_S3"),
    "sns": os.environ.get("AWS_ENDPOINT_URL_SNS"),
    "sqs": os.environ.get("AWS_ENDPOINT_URL_SQS"),
}
ROLE_ARN = os.environ.get("ROLE_ARN", "arn:aws:iam::000000000000:role/rekognition-publishes")

PAGE = 100  # sightings a page; the API allows 1000
PATIENCE = 300  # seconds to wait for the message
GAP = 1000  # milliseconds: sightings further apart than this are two appearances

rekognition, s3, sns, sqs = (boto3.client(name, endpoint_url=url) for name, url in ENDPOINTS.items())
began = time.monotonic()


def tell(call, outcome):
    """Tell what a call has done, and when."""
    print(f"{time.monotonic() - began:6.1f} s  {call:<20}  {outcome}", flush=True)


def photos_of(people):
    """Yield each photo with the name of the person: the folder's, or the file's own."""
    for path in sorted(people.rglob("*.jpg")):
        yield path, path.relative_to(people).parts[0].removesuffix(".jpg")


def enrol(collection, bucket, people):
    """Upload the photos and put the largest face of each into the collection."""
    for path, name in photos_of(people):
        key = f"photos/{path.relative_to(people).as_posix()}"
        s3.upload_file(str(path), bucket, key)
        answer = rekognition.index_faces(
            CollectionId=collection,
            Image={"S3Object": {"Bucket": bucket, "Name": key}},
            ExternalImageId=name,
            MaxFaces=1,
            QualityFilter="AUTO",
        )
        for record in answer["FaceRecords"]:
            face = record["Face"]
            tell("index_faces", f"{key}: {name} is face {face['FaceId'][:8]}..., found with {face['Confidence']:.1f} %")
        for left_out in answer["UnindexedFaces"]:
            tell("index_faces", f"{key}: a face is left out: {', '.join(left_out['Reasons'])}")
    described = rekognition.describe_collection(CollectionId=collection)
    tell("describe_collection", f"{described['FaceCount']} faces, model {described['FaceModelVersion']}")


def subscribe_queue(topic_name, queue_name, cleanup):
    """Make a topic and a queue that gets what is published there."""
    topic = sns.create_topic(Name=topic_name)["TopicArn"]
    cleanup.callback(sns.delete_topic, TopicArn=topic)
    tell("create_topic", topic)
    queue = sqs.create_queue(QueueName=queue_name)["QueueUrl"]
    cleanup.callback(sqs.delete_queue, QueueUrl=queue)
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    tell("create_queue", queue_arn)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    tell("subscribe", "the queue gets what is published to the topic")
    return topic, queue


def start(collection, bucket, video, topic):
    """Start the search. The same request with the same token again is the same job."""
    request = {
        "CollectionId": collection,
        "Video": {"S3Object": {"Bucket": bucket, "Name": video}},
        "FaceMatchThreshold": 80,
        "NotificationChannel": {"SNSTopicArn": topic, "RoleArn": ROLE_ARN},
        "ClientRequestToken": str(uuid.uuid4()),
        "JobTag": "walkthrough",
    }
    job = rekognition.start_face_search(**request)["JobId"]
    tell("start_face_search", f"job {job}")
    if rekognition.start_face_search(**request)["JobId"] != job:
        sys.exit("the same ClientRequestToken has started a second job")
    tell("start_face_search", "the same token again: the same job")
    return job


def wait_for(job, queue):
    """Wait for the message that the job has ended, and return its status. Messages of other jobs are none of ours."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10).get("Messages", []):
            notice = json.loads(json.loads(message["Body"])["Message"])
            if notice["JobId"] == job:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                video = notice["Video"]
                outcome = f"{notice['API']} of s3://{video['S3Bucket']}/{video['S3ObjectName']}: {notice['Status']}"
                tell("receive_message", f"{outcome} (tag {notice['JobTag']})")
                return notice["Status"]
    sys.exit(f"no message of the job within {PATIENCE} s")


def sightings(job, order):
    """Fetch the result page by page."""
    found, pages, token = [], 0, {}
    while True:
        page = rekognition.get_face_search(JobId=job, SortBy=order, MaxResults=PAGE, **token)
        if page["JobStatus"] != "SUCCEEDED":
            sys.exit(f"the job is {page['JobStatus']}: {page.get('StatusMessage', '')}")
        found += page["Persons"]
        pages += 1
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    tell("get_face_search", f"by {order}: {len(found)} sightings on {pages} pages of up to {PAGE}")
    return found, page["VideoMetadata"]


def appearances(found):
    """Turn sightings by time into {name: [(from, to, best similarity), ...]}."""
    seen = {}
    for sighting in found:
        if not sighting["FaceMatches"]:
            continue
        best = sighting["FaceMatches"][0]
        spans = seen.setdefault(best["Face"]["ExternalImageId"], [])
        at, similarity = sighting["Timestamp"], best["Similarity"]
        if spans and at - spans[-1][1] <= GAP:
            first, _, highest = spans.pop()
            spans.append((first, at, max(highest, similarity)))
        else:
            spans.append((at, at, similarity))
    return seen


def show(people, seen, length):
    """Print a line a person: who is seen when, along the video."""
    width = 48
    for name in sorted({name for _, name in photos_of(people)}):
        bar = ["."] * width
        for first, last, _ in seen.get(name, []):
            for i in range(int(first * width / length), min(int(last * width / length) + 1, width)):
                bar[i] = "#"
        spans = ", ".join(
            f"{first / 1000:.1f} to {last / 1000:.1f} s ({best:.1f} %)" for first, last, best in seen.get(name, [])
        )
        print(f"  {name:<6} {''.join(bar)}  {spans or 'not seen'}")


def describe(metadata):
    """Put what is known of the video into words."""
    size = f"{metadata['FrameWidth']} x {metadata['FrameHeight']}"
    length, rate = metadata["DurationMillis"] / 1000, metadata["FrameRate"]
    return f"{length:.1f} s, {size}, {metadata['Codec']}, {rate:g} frames a second"


def count(by_person):
    """Count the persons of sightings that are sorted by INDEX: one follows the other."""
    persons = [list(group) for _, group in itertools.groupby(by_person, key=lambda s: s["Person"]["Index"])]
    known = sum(any(sighting["FaceMatches"] for sighting in person) for person in persons)
    return f"{len(persons)} persons, {known} of them known"


def same(by_time, by_person):
    """Whether both orders hold the same sightings."""
    return sorted(map(repr, by_time)) == sorted(map(repr, by_person))


def walk(people, video, cleanup):
    mark = uuid.uuid4().hex[:8]
    collection, bucket = f"walkthrough-{mark}", f"walkthrough-{mark}"

    answer = rekognition.create_collection(CollectionId=collection)
    cleanup.callback(rekognition.delete_collection, CollectionId=collection)
    tell("create_collection", answer["CollectionArn"])

    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=bucket, **where)
    cleanup.callback(remove, bucket)
    s3.upload_file(str(video), bucket, video.name)
    tell("upload_file", f"s3://{bucket}/{video.name}, {video.stat().st_size:,} bytes")
    enrol(collection, bucket, people)

    # Topics of this prefix are those that the role AmazonRekognitionServiceRole may publish to.
    topic, queue = subscribe_queue(f"AmazonRekognition-{mark}", f"walkthrough-{mark}", cleanup)
    job = start(collection, bucket, video.name, topic)
    if wait_for(job, queue) != "SUCCEEDED":
        sys.exit(rekognition.get_face_search(JobId=job)["StatusMessage"])

    by_time, metadata = sightings(job, "TIMESTAMP")
    by_person, _ = sightings(job, "INDEX")
    if not same(by_time, by_person):
        sys.exit("the two orders hold different sightings")
    print(f"\n{video.name}: {describe(metadata)}; {count(by_person)}\n")
    show(people, appearances(by_time), metadata["DurationMillis"])
    print()


def remove(bucket):
    """Delete a bucket with what is in it."""
    for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=entry["Key"])
    s3.delete_bucket(Bucket=bucket)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        # Whatever happens, what has been made is deleted again, last things first.
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(tell, "delete_collection", "and the queue, the topic and the bucket")
            walk(Path(sys.argv[1]), Path(sys.argv[2]), cleanup)
    except KeyboardInterrupt:
        sys.exit(130)  # as shells have it


if __name__ == "__main__":
    main()
