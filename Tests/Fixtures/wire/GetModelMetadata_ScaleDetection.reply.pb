

ScaleDetectionÅ
signature_def³
6type.googleapis.com/tensorflow.serving.SignatureDefMapø
µ
serving_default¡
E
input_1:
serving_default_input_1:0ÿÿÿÿÿÿÿÿÿØØ<
tensor_product_1(
PartitionedCall:0ÿÿÿÿÿÿÿÿÿtensorflow/serving/predict
>
__saved_model_init_op%#
__saved_model_init_op

NoOp